import { oneLine, type Channel } from './call-trace.ts';
import type { LaneKind, Story, StoryLane, StoryRow } from './story.ts';

const LEFT = 104;
const RIGHT = 24;
/** Between two lanes; few lanes stand further apart. */
const MIN_LANE_WIDTH = 190;
const WANTED_WIDTH = 1040;
const MAX_LANE_WIDTH = 300;
const TITLE_HEIGHT = 58;
const CALL_HEIGHT = 20;
const HEAD_HEIGHT = 46;
const ROW_HEIGHT = 34;
const DETAIL_HEIGHT = 15;
const GAP_HEIGHT = 30;
const FOOT_HEIGHT = 56;
/** Mean width of a letter, of its size: that of a wide font. */
const LETTER = 0.58;
const LABEL_SIZE = 13;
const DETAIL_SIZE = 11;

const CHANNEL_NAMES: Readonly<Record<Channel, string>> = {
  page: 'page and application',
  signalling: "browser's signalling",
  sip: 'SIP',
  rest: 'REST API',
  webhook: 'webhook and TwiML',
  media: 'sound',
};

/** The story as a picture: no script, no font and nothing else from outside, light or dark as the reader's page is. */
export function sequenceSvg(story: Story): string {
  const { lanes, rows, calls } = story;
  const spacing = clamp((WANTED_WIDTH - LEFT - RIGHT) / Math.max(lanes.length, 1), MIN_LANE_WIDTH, MAX_LANE_WIDTH);
  const width = Math.round(LEFT + RIGHT + spacing * Math.max(lanes.length, 2));
  const laneX = (index: number): number => Math.round(LEFT + spacing * (index + 0.5));
  const headY = TITLE_HEIGHT + calls.length * CALL_HEIGHT + 10;
  let y = headY + HEAD_HEIGHT + 14;
  const drawn: string[] = [];
  for (const row of rows) {
    const height = heightOf(row);
    drawn.push(row.kind === 'gap' ? gap(row.ms, y, width) : message(row, { y, laneX, story, width }));
    y += height;
  }
  const bottom = y + 6;
  const height = bottom + FOOT_HEIGHT + (story.leftOut > 0 ? 20 : 0);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escape(story.title)}</title>`,
    `<desc id="description">${escape(descriptionOf(story))}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${height}" rx="12"/>`,
    `<text class="heading" x="24" y="36">${escape(oneLine(story.title, 90))}</text>`,
    ...calls.map((call, index) => callLine(call, TITLE_HEIGHT + index * CALL_HEIGHT, width)),
    ...lanes.map((_, index) => `<path class="life" d="M${laneX(index)} ${headY + HEAD_HEIGHT}V${bottom}"/>`),
    ...lanes.map((lane, index) => head(lane, laneX(index), headY, spacing)),
    ...drawn,
    ...legend(story, bottom + 30),
    ...(story.leftOut > 0
      ? [`<text class="detail" x="24" y="${bottom + 58}">${story.leftOut} more messages are not shown</text>`]
      : []),
    '</svg>',
    '',
  ].join('\n');
}

function descriptionOf({ lanes, rows }: Story): string {
  const count = rows.filter((row) => row.kind === 'message').length;
  return `Sequence diagram of ${count} messages between ${lanes.map((lane) => `${lane.name} (${lane.about})`).join(', ')}, in the order of time.`;
}

function callLine(
  { letter, sid, from, to, status, duration, faults = [] }: Story['calls'][number],
  y: number,
  width: number,
): string {
  const ended = `${status}${duration === null ? '' : ` after ${duration} s`}`;
  const words = [`${sid}  ${from} to ${to === '' ? 'its application' : to}, ${ended}`, ...faults].join('; ');
  return [
    chip(letter, 32, y - 4),
    `<text class="detail" x="48" y="${y}">${escape(fitting(words, width - 72, DETAIL_SIZE))}</text>`,
  ].join('');
}

function chip(letter: string, x: number, y: number): string {
  return `<circle class="chip" cx="${x}" cy="${y}" r="8"/><text class="letter" x="${x}" y="${y + 3.5}">${escape(letter)}</text>`;
}

function head({ name, about, kind }: StoryLane, x: number, y: number, spacing: number): string {
  const width = Math.min(spacing - 22, 210);
  return [
    `<g class="${classOfKind(kind)}"><rect class="head" x="${x - width / 2}" y="${y}" width="${width}" height="${HEAD_HEIGHT}" rx="8"/>`,
    `<text class="name" x="${x}" y="${y + 20}">${escape(fitting(name, width - 12, 14))}</text>`,
    `<text class="about" x="${x}" y="${y + 36}">${escape(fitting(about, width - 12, DETAIL_SIZE))}</text></g>`,
  ].join('');
}

function classOfKind(kind: LaneKind): string {
  return kind === 'tandem' ? 'us' : 'them';
}

function heightOf(row: StoryRow): number {
  if (row.kind === 'gap') return GAP_HEIGHT;
  return ROW_HEIGHT + (row.detail === '' ? 0 : DETAIL_HEIGHT);
}

interface Place {
  readonly y: number;
  readonly laneX: (index: number) => number;
  readonly story: Story;
  readonly width: number;
}

/** Label above the arrow, what matters in it below. */
function message(row: Extract<StoryRow, { kind: 'message' }>, { y, laneX, story, width }: Place): string {
  const line = y + 22;
  const label = row.times > 1 ? `${row.text} ×${row.times}` : row.text;
  const letter = row.call === undefined ? undefined : story.calls[row.call]?.letter;
  const [from, to] = [laneX(row.from), laneX(row.to)];
  const isNote = from === to;
  const middle = (from + to) / 2;
  const room = isNote ? width - from - RIGHT : Math.abs(to - from) - 22;
  const x = isNote ? from + 14 : middle;
  const at = isNote ? 'start' : 'middle';
  return [
    `<g class="row ${row.channel}${row.reply ? ' reply' : ''}">`,
    `<title>${escape(row.detail === '' ? label : `${label}: ${row.detail}`)}</title>`,
    `<text class="time" x="66" y="${line + 4}">${(row.afterMs / 1000).toFixed(3)}</text>`,
    letter === undefined ? '' : chip(letter, 84, line),
    isNote ? `<circle class="dot" cx="${from}" cy="${line}" r="4"/>` : arrow(from, to, line, row.channel),
    `<text class="label" text-anchor="${at}" x="${x}" y="${line - 7}">${escape(fitting(label, room, LABEL_SIZE))}</text>`,
    row.detail === ''
      ? ''
      : `<text class="detail halo" text-anchor="${at}" x="${x}" y="${line + 15}">${escape(fitting(row.detail, room, DETAIL_SIZE))}</text>`,
    '</g>',
  ].join('');
}

function arrow(from: number, to: number, y: number, channel: Channel): string {
  const way = Math.sign(to - from);
  const tip = to - way * 2;
  const back = tip - way * 9;
  const shaft = `<path class="shaft" d="M${from} ${y}H${back}"/>`;
  const isSound = channel === 'media';
  const size = isSound ? 6 : 4.5;
  return `${shaft}<path class="tip" d="M${tip} ${y}L${back} ${y - size}V${y + size}Z"/>`;
}

function gap(ms: number, y: number, width: number): string {
  const line = y + GAP_HEIGHT / 2;
  return [
    `<path class="gap" d="M${LEFT} ${line}H${width - RIGHT}"/>`,
    `<text class="time" x="66" y="${line + 4}">${(ms / 1000).toFixed(1)} s</text>`,
  ].join('');
}

function legend({ rows }: Story, y: number): readonly string[] {
  const used = [...new Set(rows.flatMap((row) => (row.kind === 'message' ? [row.channel] : [])))];
  let x = 24;
  return (Object.keys(CHANNEL_NAMES) as Channel[])
    .filter((channel) => used.includes(channel))
    .map((channel) => {
      const name = CHANNEL_NAMES[channel];
      const entry = `<g class="${channel}"><path class="shaft" d="M${x} ${y - 4}h24"/><text class="detail" x="${x + 32}" y="${y}">${escape(name)}</text></g>`;
      x += 32 + name.length * DETAIL_SIZE * LETTER + 28;
      return entry;
    });
}

/** Cut to a width: letters are guessed at their mean. */
function fitting(text: string, width: number, size: number): string {
  return oneLine(text, Math.max(4, Math.floor(width / (size * LETTER))));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Text for XML 1.0 (2.2 and 2.4): characters that it does not know are shown as replaced. */
function escape(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|\p{Cs}/gu, '\ufffd')
    .replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const CHANNEL_COLOURS: Readonly<Record<Channel, readonly [light: string, dark: string]>> = {
  page: ['#0b7285', '#66d9e8'],
  signalling: ['#1c5fd4', '#7db0ff'],
  sip: ['#6b2fb3', '#c49bff'],
  rest: ['#a3265b', '#ff8fbf'],
  webhook: ['#9a4a00', '#ffab5e'],
  media: ['#0f7a3c', '#5fd38d'],
};

function coloursOf(theme: 0 | 1): string {
  return (Object.keys(CHANNEL_COLOURS) as Channel[])
    .map((channel) => `.${channel}{--ink:${CHANNEL_COLOURS[channel][theme]}}`)
    .join('');
}

const STYLE = [
  'svg{--paper:#fff;--text:#1b1f24;--muted:#57606a;--line:#d0d7de;--box:#f6f8fa;--us:#1b1f24;--on-us:#fff}',
  coloursOf(0),
  `@media(prefers-color-scheme:dark){svg{--paper:#0d1117;--text:#e6edf3;--muted:#9aa4af;--line:#30363d;--box:#161b22;--us:#e6edf3;--on-us:#0d1117}${coloursOf(1)}}`,
  'text{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;fill:var(--text)}',
  '.paper{fill:var(--paper);stroke:var(--line)}',
  '.heading{font-size:20px;font-weight:600}',
  `.detail{font-size:${DETAIL_SIZE}px;fill:var(--muted)}`,
  '.life{stroke:var(--line);stroke-width:1.5;fill:none}',
  '.head{fill:var(--box);stroke:var(--line)}.us .head{fill:var(--us);stroke:var(--us)}.us text{fill:var(--on-us)}',
  '.name{font-size:14px;font-weight:600;text-anchor:middle}',
  `.about{font-size:${DETAIL_SIZE}px;text-anchor:middle;opacity:.75}`,
  '.time{font-size:11px;fill:var(--muted);text-anchor:end;font-variant-numeric:tabular-nums}',
  '.chip{fill:var(--box);stroke:var(--muted)}.letter{font-size:10px;text-anchor:middle;font-weight:600;fill:var(--muted)}',
  `.label{font-size:${LABEL_SIZE}px;font-weight:600;fill:var(--ink)}`,
  '.label,.halo{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}',
  '.shaft{stroke:var(--ink);stroke-width:1.6;fill:none}.reply .shaft{stroke-dasharray:6 4}.media .shaft{stroke-width:4}',
  '.tip,.dot{fill:var(--ink)}',
  '.gap{stroke:var(--line);stroke-width:1.5;stroke-dasharray:2 6;fill:none}',
].join('');
