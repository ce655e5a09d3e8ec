/** How one kind of system learns to trust the authority. */
export interface Recipe {
  readonly title: string;
  readonly steps: readonly string[];
  readonly commands: readonly string[];
  readonly note?: string;
}

/** The first three are driven by tests; the others are as their makers describe them. */
export function recipes(publicUrl: string): readonly Recipe[] {
  const fetched = `curl -fO ${publicUrl}/trust/tandem-ca.pem`;
  return [
    {
      title: 'Debian, Ubuntu',
      steps: [],
      commands: [
        fetched,
        'sudo cp tandem-ca.pem /usr/local/share/ca-certificates/tandem-place.crt',
        'sudo update-ca-certificates',
      ],
      note: 'For curl, git, OpenSSL, Python’s ssl and others. Browsers on Linux have databases of their own: the next entry.',
    },
    {
      title: 'Chromium and Chrome on Linux',
      steps: [],
      commands: [
        'sudo apt install libnss3-tools',
        fetched,
        "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n 'Tandem (this place)' -i tandem-ca.pem",
      ],
      note: 'Close the browser before. A database that does not exist yet is made with: certutil -d sql:$HOME/.pki/nssdb -N --empty-password',
    },
    {
      title: 'Node',
      steps: [],
      commands: [fetched, 'NODE_EXTRA_CA_CERTS=$PWD/tandem-ca.pem node app.js'],
      note: 'Or, where the system trusts it: node --use-system-ca app.js. The Twilio SDK also reads TWILIO_CA_BUNDLE, except behind a proxy.',
    },
    {
      title: 'Fedora, RHEL',
      steps: [],
      commands: [
        fetched,
        'sudo cp tandem-ca.pem /etc/pki/ca-trust/source/anchors/tandem-place.pem',
        'sudo update-ca-trust extract',
      ],
      note: 'Not tested by us.',
    },
    {
      title: 'macOS',
      steps: [],
      commands: [
        fetched,
        'sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain tandem-ca.pem',
      ],
      note: 'For Safari, Chrome and most programs. Not tested by us.',
    },
    {
      title: 'Windows',
      steps: [],
      commands: [`curl.exe -fO ${publicUrl}/trust/tandem-ca.pem`, 'certutil -addstore -f Root tandem-ca.pem'],
      note: 'In a terminal that was opened as administrator. For Edge, Chrome and most programs. Not tested by us.',
    },
    {
      title: 'iPhone, iPad',
      steps: [
        'Open tandem-ca.crt from this page in Safari and allow the profile.',
        'Settings, General, VPN & Device Management: install it.',
        'Settings, General, About, Certificate Trust Settings: switch it on.',
      ],
      commands: [],
      note: 'Without the last step it is installed and not trusted. Not tested by us.',
    },
    {
      title: 'Android',
      steps: [
        'Download tandem-ca.crt from this page.',
        'Settings, Security & privacy, Encryption & credentials, Install a certificate, CA certificate: choose the file.',
      ],
      commands: [],
      note: 'Chrome takes it; apps only where they allow authorities of the user. Not tested by us.',
    },
    {
      title: 'Firefox',
      steps: [
        'Settings, Privacy & Security, Certificates, View Certificates, Authorities, Import: choose tandem-ca.pem.',
        'Tick “Trust this CA to identify websites”.',
      ],
      commands: [],
      note: 'On Windows and macOS Firefox also takes what the system trusts. Not tested by us.',
    },
    {
      title: 'Python',
      steps: [],
      commands: [
        'export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt',
        'export REQUESTS_CA_BUNDLE=$SSL_CERT_FILE',
        'python app.py',
      ],
      note: 'After the entry for Debian: requests (and the Twilio SDK for Python) otherwise trusts only the list that it brings. Not tested by us.',
    },
    {
      title: 'Docker',
      steps: [],
      commands: [
        'COPY tandem-ca.pem /usr/local/share/ca-certificates/tandem-place.crt',
        'RUN update-ca-certificates',
        'ENV NODE_EXTRA_CA_CERTS=/usr/local/share/ca-certificates/tandem-place.crt',
      ],
      note: 'In the Dockerfile of an image based on Debian. Names: docker run --add-host api.twilio.com:ADDRESS, or extra_hosts in a compose file. Not tested by us.',
    },
  ];
}
