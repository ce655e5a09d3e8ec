import { oneLine } from './call-trace.ts';
import type { Story, StoryRow } from './story.ts';

/** Columns between two lanes. */
const LANE_WIDTH = 24;
const TIME_WIDTH = 12;
/** Of what stands behind the last lane. */
const MAX_DETAIL = 100;
const MAX_FAULT = 200;

/** The story as a ladder for a terminal. */
export function ladderText(story: Story): string {
  const { lanes, rows, calls, leftOut } = story;
  const lifelines = lanes.map(() => '|');
  const heading = (words: readonly string[]): string => placed(words.map((word) => oneLine(word, LANE_WIDTH - 2)));
  const lines = [
    story.title,
    ...calls.flatMap(({ letter, sid, from, to, status, duration, faults = [] }) => [
      `  ${letter}  ${sid}  ${shown(from)} -> ${shown(to) || '(its application)'}, ${status}${duration === null ? '' : `, ${duration} s`}`,
      ...faults.map((fault) => `     ${oneLine(fault, MAX_FAULT)}`),
    ]),
    '',
    heading(lanes.map((lane) => lane.name)),
    heading(lanes.map((lane) => lane.about)),
    ...rows.map((row) => (row.kind === 'gap' ? gapLine(row.ms, lifelines) : messageLine(row, story))),
  ];
  if (rows.length === 0) lines.push('(nothing passed)');
  if (leftOut > 0) lines.push('', `${leftOut} more messages are not shown`);
  // What others sent must not move the terminal's cursor.
  return lines.map((line) => line.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?').trimEnd()).join('\n');
}

function shown(address: string): string {
  return oneLine(address, 60);
}

/** Words centred on their lanes. */
function placed(words: readonly string[]): string {
  return words.reduce((line, word, index) => {
    const start = Math.max(line.length + (index === 0 ? 0 : 1), laneColumn(index) - Math.floor(word.length / 2));
    return line.padEnd(start) + word;
  }, '');
}

function laneColumn(index: number): number {
  return TIME_WIDTH + Math.floor(LANE_WIDTH / 2) + index * LANE_WIDTH;
}

function gapLine(ms: number, lifelines: readonly string[]): string {
  const line = placed(lifelines.map(() => ':'));
  return `${`${(ms / 1000).toFixed(1)} s`.padStart(TIME_WIDTH - 4)}${line.slice(TIME_WIDTH - 4)}`;
}

function messageLine(row: Extract<StoryRow, { kind: 'message' }>, { lanes, calls }: Story): string {
  const letter = row.call === undefined ? ' ' : (calls[row.call]?.letter ?? ' ');
  const time = `${(row.afterMs / 1000).toFixed(3).padStart(8)} ${letter}`;
  const cells = [...placed(lanes.map(() => '|')).padEnd(laneColumn(lanes.length - 1) + 1)];
  const left = laneColumn(Math.min(row.from, row.to));
  const right = laneColumn(Math.max(row.from, row.to));
  const text = row.times > 1 ? `${row.text} (${row.times} times)` : row.text;
  const detail = oneLine(row.detail, MAX_DETAIL);
  if (left === right) return `${time}${cells.join('').slice(time.length)}  ${text}  ${detail}`;
  const span = right - left - 1;
  const dash = row.channel === 'media' ? '=' : row.reply ? '.' : '-';
  const label = ` ${oneLine(text, span - 6)} `;
  const before = Math.max(1, Math.floor((span - label.length) / 2));
  const shaft = [...(dash.repeat(before) + label).padEnd(span, dash)];
  if (row.from < row.to) shaft[span - 1] = '>';
  else shaft[0] = '<';
  cells.splice(left + 1, span, ...shaft.slice(0, span));
  return `${time}${cells.join('').slice(time.length)}  ${detail}`;
}
