/** Edges and regions of the vendor as its SDKs spell them into host names. */
const EDGES = ['ashburn', 'dublin', 'frankfurt', 'sao-paulo', 'singapore', 'sydney', 'tokyo', 'umatilla'] as const;
const INTERCONNECTS = [
  ...['ashburn-ix', 'frankfurt-ix', 'london-ix', 'san-jose-ix', 'singapore-ix', 'sydney-ix', 'tokyo-ix'],
] as const;
/** Regions that keep data of their own, with the edge that belongs to them. */
const REGIONS = [
  { region: 'ie1', edge: 'dublin' },
  { region: 'au1', edge: 'sydney' },
] as const;

/**
 * Hosts of the vendor that SDKs ask and that this server answers for. A hosts file knows no wildcards: each name stands
 * there itself, those of edges and regions too, since a name that is forgotten leads to the vendor, with credentials.
 */
export const VENDOR_HOSTS: readonly string[] = [
  ...['api.twilio.com', 'voice-js.roaming.twilio.com', 'eventgw.twilio.com', 'sdk.twilio.com'],
  ...[...EDGES, ...INTERCONNECTS].map((edge) => `voice-js.${edge}.twilio.com`),
  // An edge without a region means us1.
  ...['api.us1.twilio.com', ...EDGES.map((edge) => `api.${edge}.us1.twilio.com`)],
  ...REGIONS.flatMap(({ region, edge }) => [`api.${region}.twilio.com`, `api.${edge}.${region}.twilio.com`]),
];
