/** What a person types where the command changes nothing itself. Not tested on those systems. */
export function commandsFor(
  platform: NodeJS.Platform,
  options: { readonly install: boolean; readonly hostsBlock: string; readonly caFile: string },
): string | undefined {
  const { install, hostsBlock, caFile } = options;
  const lines = hostsBlock.trim().split('\n');
  switch (platform) {
    case 'darwin':
      return install
        ? [
            '# macOS: type this yourself (not tested there):',
            `sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${caFile}`,
            "sudo tee -a /etc/hosts <<'END'",
            ...lines,
            'END',
            'sudo dscacheutil -flushcache',
          ].join('\n')
        : [
            '# macOS: type this yourself (not tested there):',
            `sudo security remove-trusted-cert -d ${caFile}`,
            "sudo sed -i '' '/^# >>> tandem/,/^# <<< tandem/d' /etc/hosts",
          ].join('\n');
    case 'win32':
      return install
        ? [
            'rem Windows, as administrator (not tested there):',
            `certutil -addstore -f Root ${caFile}`,
            'rem and these lines at the end of C:\\Windows\\System32\\drivers\\etc\\hosts:',
            ...lines,
          ].join('\n')
        : [
            'rem Windows, as administrator (not tested there):',
            'certutil -delstore Root "Tandem (this place)"',
            'rem and take the lines of tandem out of C:\\Windows\\System32\\drivers\\etc\\hosts',
          ].join('\n');
    default:
      return undefined;
  }
}
