import { Type, type Static } from 'typebox';
import { MAX_TRACED_CALLS } from '../trace/trace-book.ts';

const Url = Type.String({ minLength: 1, maxLength: 2048 });
const Method = Type.Union([Type.Literal('GET'), Type.Literal('POST')]);
const E164 = Type.String({ pattern: '^\\+[1-9][0-9]{6,14}$' });
const Name = Type.String({ pattern: '^[A-Za-z0-9._+-]{1,64}$' });

const VoiceHandling = {
  voiceUrl: Type.Optional(Url),
  voiceMethod: Type.Optional(Method),
  voiceFallbackUrl: Type.Optional(Url),
  voiceFallbackMethod: Type.Optional(Method),
  statusCallback: Type.Optional(Url),
  statusCallbackMethod: Type.Optional(Method),
  messageUrl: Type.Optional(Url),
};

/** What may stand in `tandem.json`, `TANDEM_…` and flags, after they are joined. Every key is optional there. */
export const ConfigSchema = Type.Object(
  {
    /** Data folder. */
    data: Type.String({ minLength: 1 }),
    /** HOST:PORT of the HTTP door; port 0 takes any free one. Left out: DEFAULT_PORTS, or the next free one. */
    http: Type.Optional(Type.String()),
    /** HOST:PORT of the HTTP door over TLS; `off` for none. */
    https: Type.Optional(Type.String()),
    /** PEM files of the operator's own certificate and key, instead of the place's authority. */
    tlsCertificate: Type.Optional(Type.String({ minLength: 1 })),
    tlsKey: Type.Optional(Type.String({ minLength: 1 })),
    /** HOST:PORT of SIP over UDP and TCP; as for `http`. */
    sip: Type.Optional(Type.String()),
    /** RTP ports, LOW-HIGH. */
    rtp: Type.String(),
    /** Listen on every address, and take calls from the local network. */
    lan: Type.Boolean(),
    /** Address written into SDP and Contact instead of the local one (behind a NAT). */
    advertise: Type.Optional(Type.String({ minLength: 2 })),
    /** Whoever sits at this machine sees the first page without credentials. */
    trustLoopback: Type.Boolean(),
    /** Public base of links to recordings; default: the HTTP door. */
    publicUrl: Type.Optional(Url),
    /** STUN and TURN servers that browsers are told of (RFC 7064, 7065). */
    turnUrls: Type.Array(
      Type.String({ pattern: '^(stun|stuns|turn|turns):[^\\s?/]{1,255}(\\?transport=(udp|tcp))?$', maxLength: 300 }),
      { maxItems: 16 },
    ),
    /** The secret that this place shares with the TURN server (coturn: static-auth-secret). */
    turnSecret: Type.Optional(Type.String({ minLength: 8, maxLength: 256 })),
    /** Seconds for which credentials of the TURN server are good. */
    turnTtl: Type.Integer({ minimum: 60, maximum: 86_400 }),
    /** A data folder that is gone when the program ends. */
    ephemeral: Type.Boolean(),
    /** Seconds that the first SIGTERM waits for calls. */
    drain: Type.Number({ minimum: 0, maximum: 3600 }),
    callsPerSecond: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
    /** Lanes of their own for these From numbers, calls per second. */
    callsPerSecondFrom: Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0, maximum: 1000 })),
    /** Incoming calls per second: of all known callers together, and of each address that shows no password. */
    incomingCallsPerSecond: Type.Number({ exclusiveMinimum: 0, maximum: 10_000 }),
    /** SIP requests per second of an address that shows no password, in the long run; beyond it nothing is answered. */
    strangersPerSecond: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }),
    /** Wrong passwords or tokens of an address before nothing of it is answered for a while. */
    failuresBeforeSilence: Type.Integer({ minimum: 1, maximum: 100_000 }),
    /** Seconds of the first such silence; each further one is twice as long, up to an hour. 0: none. */
    silenceSeconds: Type.Number({ minimum: 0, maximum: 3600 }),
    /** Requests per second and account at the REST door. */
    requestsPerSecond: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }),
    mediaProcesses: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
    accountSid: Type.Optional(Type.String({ pattern: '^AC[0-9a-f]{32}$' })),
    authToken: Type.Optional(Type.String({ pattern: '^[0-9a-zA-Z]{16,64}$' })),
    /** PostgreSQL instead of the embedded store: `postgresql://user@host/database`. */
    postgresql: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
    /** Sound of two pages that both allow it may go past the server. */
    directSound: Type.Boolean(),
    /** Called first of all, never queued, never an application's. */
    emergencyNumbers: Type.Array(Type.String({ pattern: '^\\+?[0-9]{2,15}$' })),
    /** Hosts, addresses and CIDR blocks that webhooks may reach besides this machine and its network; `any` is everything. */
    webhookAllow: Type.Array(Type.String({ minLength: 1, maxLength: 255 })),
    /** Hosts that SIP calls may reach without a trunk, besides addresses of the local network; `any` is everything. */
    sipAllow: Type.Array(Type.String({ minLength: 1, maxLength: 255 })),
    /** Calls whose messages are kept in memory for `tandem trace`; 0 keeps none. */
    traceCalls: Type.Integer({ minimum: 0, maximum: 10_000 }),
    /** Left out: the first that is found, in this order. */
    speechEngine: Type.Optional(Type.Union([Type.Literal('espeak-ng'), Type.Literal('flite'), Type.Literal('wasm')])),
    numbers: Type.Array(
      Type.Object(
        {
          phoneNumber: E164,
          friendlyName: Type.Optional(Type.String({ maxLength: 64 })),
          application: Type.Optional(Type.String()),
          ...VoiceHandling,
        },
        { additionalProperties: false },
      ),
    ),
    applications: Type.Array(
      Type.Object(
        { friendlyName: Type.String({ minLength: 1, maxLength: 64 }), ...VoiceHandling },
        { additionalProperties: false },
      ),
    ),
    phones: Type.Array(
      Type.Object(
        {
          name: Name,
          /** Of a phone that registers; a scripted one needs none. */
          password: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
          number: Type.Optional(E164),
          /** The server itself answers for this phone: steps, or the path of a file with steps. */
          script: Type.Optional(
            Type.Union([
              Type.String({ minLength: 1, maxLength: 4096 }),
              Type.Array(Type.String({ maxLength: 1024 }), { minItems: 1, maxItems: 1000 }),
            ]),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    trunks: Type.Array(
      Type.Object(
        {
          name: Name,
          uri: Type.String({ pattern: '^sips?:' }),
          username: Type.Optional(Type.String({ maxLength: 128 })),
          password: Type.Optional(Type.String({ maxLength: 128 })),
          register: Type.Optional(Type.Boolean()),
          prefixes: Type.Optional(Type.Array(Type.String({ pattern: '^\\+?[0-9]*$' }))),
          maxCalls: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
        },
        { additionalProperties: false },
      ),
    ),
    logLevel: Type.Union([
      Type.Literal('debug'),
      Type.Literal('info'),
      Type.Literal('warn'),
      Type.Literal('error'),
      Type.Literal('silent'),
    ]),
  },
  { additionalProperties: false },
);

export type Config = Static<typeof ConfigSchema>;

/** Where the doors are unless a port is named; a taken one moves on to the next. */
export const DEFAULT_PORTS = { http: 3600, https: 3643, sip: 5060 } as const;

/** How the program runs unless told otherwise; the data folder is the caller's to give. */
export const CONFIG_DEFAULTS = {
  rtp: '20000-29999',
  lan: false,
  trustLoopback: true,
  turnUrls: [],
  turnTtl: 86_400,
  ephemeral: false,
  drain: 10,
  callsPerSecond: 1,
  callsPerSecondFrom: {},
  incomingCallsPerSecond: 200,
  strangersPerSecond: 20,
  failuresBeforeSilence: 20,
  silenceSeconds: 30,
  requestsPerSecond: 5000,
  directSound: true,
  emergencyNumbers: ['112', '911'],
  webhookAllow: [],
  sipAllow: [],
  numbers: [],
  applications: [],
  phones: [],
  trunks: [],
  traceCalls: MAX_TRACED_CALLS,
  logLevel: 'warn',
} as const;
