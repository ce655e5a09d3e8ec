/**
 * One XML element of a TwiML document. Comments, processing instructions and foreign namespaces' prefixes are not kept
 * apart: names are as written.
 */
export interface TwimlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Child elements in order. */
  readonly children: readonly TwimlElement[];
  /** Child elements and the text between them, in order; text as written. */
  readonly content: readonly (TwimlElement | string)[];
  /** The element's own text (not that of its children), trimmed, with runs of white space made one blank. */
  readonly text: string;
  /** Where the start tag begins, from 1; 0 for elements that were not written by the application. */
  readonly line: number;
}

export interface TwimlDocument {
  /** The `Response` element. */
  readonly root: TwimlElement;
}

/**
 * Something wrong with a document, under its official number. An error ends the run of the document; after a warning
 * it goes on with a default or with the next verb.
 */
export interface TwimlProblem {
  readonly code: number;
  readonly level: 'error' | 'warning';
  /** What was got and what is wanted. */
  readonly message: string;
  readonly line: number;
}

/** An element that the application did not write, e.g. the Say around a text/plain answer. */
export function syntheticElement(
  name: string,
  text: string,
  attributes: Readonly<Record<string, string>> = {},
): TwimlElement {
  return { name, attributes, children: [], content: text === '' ? [] : [text], text: collapse(text), line: 0 };
}

/** A document with one verb that the application did not write. */
export function syntheticDocument(verb: TwimlElement): TwimlDocument {
  return { root: { name: 'Response', attributes: {}, children: [verb], content: [verb], text: '', line: 0 } };
}

/** Text with runs of XML white space made one blank, and none at the ends. */
export function collapse(text: string): string {
  return text.replace(/[ \t\r\n]+/g, ' ').trim();
}
