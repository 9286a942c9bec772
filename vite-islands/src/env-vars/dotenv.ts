// Text in the manner of .env files, read and written exactly as Dhow does (src/model/dotenv.rs; both are held to
// tests/fixtures/dotenv.json): nothing is expanded, and parse(serialise(v)) is v for whatever v holds.

import { isReserved, keyFault, valueFault } from './variable'

export interface Pair {
  key: string
  value: string
}

/** A sentence about a line, counted from 1. */
export interface LineNote {
  line: number
  message: string
}

/** With a mistake in it nothing of a text is used; a name that is there twice has its last value and a warning. */
export type Parsed = { ok: true; vars: Pair[]; warnings: LineNote[] } | { ok: false; errors: LineNote[] }

const MOST_ERRORS = 20
const MOST_WARNINGS = 20
const PEM_BEGIN = '-----BEGIN '
const PEM_END = '-----END '

export function parse(text: string): Parsed {
  const reader = new Reader(text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n'))
  while (reader.rest !== '' && reader.errors.length < MOST_ERRORS) reader.readEntry()
  const { vars, warnings, errors } = reader
  return errors.length === 0 ? { ok: true, vars, warnings } : { ok: false, errors }
}

export function serialise(vars: Pair[]): string {
  return vars.map(({ key, value }) => `${key}=${serialiseValue(value)}\n`).join('')
}

export function serialiseValue(value: string): string {
  if (isPlain(value)) return value
  if (!/['\n\r]/.test(value)) return `'${value}'`
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
  return `"${escaped}"`
}

function isPlain(value: string): boolean {
  return !/[\n\r]|^["'#]/.test(value) && trim(value) === value && commentStart(value) === -1 && !isOpenedPem(value)
}

/** White space of the format is space and tab only. */
function trimStart(text: string): string {
  return text.replace(/^[ \t]+/, '')
}

/** No `/[ \t]+$/`, which takes quadratic time where much white space is within. */
function trimEnd(text: string): string {
  let end = text.length
  while (text[end - 1] === ' ' || text[end - 1] === '\t') end -= 1
  return text.slice(0, end)
}

function trim(text: string): string {
  return trimEnd(trimStart(text))
}

/** Where a comment begins in a line without quotes: at a `#` after white space; -1 for nowhere. */
function commentStart(text: string): number {
  const at = text.search(/[ \t]#/)
  return at === -1 ? -1 : at + 1
}

function isOpenedPem(text: string): boolean {
  return text.startsWith(PEM_BEGIN) && !text.includes(PEM_END)
}

function firstLine(text: string): string {
  const end = text.indexOf('\n')
  return end === -1 ? text : text.slice(0, end)
}

function lineBreaks(text: string): number {
  return text.split('\n').length - 1
}

class Reader {
  readonly vars: Pair[] = []
  readonly warnings: LineNote[] = []
  readonly errors: LineNote[] = []
  /** The number of the line that `rest` begins with. */
  private line = 1
  /** By name: the line that the variable was last set in. */
  private readonly setIn = new Map<string, number>()

  constructor(public rest: string) {}

  readEntry(): void {
    const line = firstLine(this.rest)
    const text = trimStart(line).replace(/^export[ \t]+(?![ \t=])/, '')
    if (text === '' || text.startsWith('#')) return this.skip(line)
    const equals = text.indexOf('=')
    if (equals === -1) return this.refuseLine(line, 'This is no NAME=value.')
    const key = trimEnd(text.slice(0, equals))
    const value = text.slice(equals + 1)
    const fault = keyFault(key)
    if (fault !== null && isReserved(key)) {
      this.error(`${fault} Leave this line out.`)
      return this.skip(line)
    }
    if (fault !== null) return this.refuseLine(line, `The name before = is not allowed. ${fault}`)
    const begin = trimStart(value)
    if (/^["']/.test(begin)) this.readQuoted(key, line.length - begin.length)
    else this.readUnquoted(key, line, value)
  }

  private readUnquoted(key: string, line: string, text: string): void {
    const at = commentStart(text)
    const comment = at === -1 ? '' : text.slice(at)
    const value = trim(at === -1 ? text : text.slice(0, at))
    if (isOpenedPem(value)) {
      this.error(`The value of ${key} goes on in the next lines. Put it in double quotes.`)
      return this.skipPem(line)
    }
    if (['"', "'"].some((quote) => value.split(quote).length % 2 === 0 && comment.includes(quote))) {
      this.warn('The value ends before the # here. Put all of it in quotes if that belongs to it.')
    }
    this.take(key, value)
    this.skip(line)
  }

  /** A value whose quote is at `begin` of the rest. */
  private readQuoted(key: string, begin: number): void {
    const body = this.rest.slice(begin + 1)
    const read = this.rest[begin] === "'" ? literal(body) : unescape(body)
    if (!read) {
      this.error(`The quote that opens the value of ${key} is never closed.`)
      this.rest = ''
      return
    }
    if (read.hasUnknown) this.warn('A backslash here stands for itself: only \\n \\r \\t \\\\ and \\" mean something else.')
    this.take(key, read.value)
    const tail = firstLine(body.slice(read.end + 1))
    const comment = trimStart(tail)
    this.line += lineBreaks(body.slice(0, read.end))
    if (comment !== '' && (!comment.startsWith('#') || tail.startsWith('#'))) {
      this.error(
        'After the closing quote only a comment may follow, with a space before its #. Put all of the value in one pair of quotes.',
      )
    }
    this.rest = body.slice(read.end + 1)
    this.skip(tail)
  }

  private take(key: string, value: string): void {
    const fault = valueFault(value)
    if (fault !== null) return this.error(`The value of ${key} is not allowed. ${fault}`)
    const before = this.setIn.get(key)
    this.setIn.set(key, this.line)
    if (before === undefined) {
      this.vars.push({ key, value })
      return
    }
    this.warn(`${key} is set again here; its value in line ${before} is not used.`)
    const known = this.vars.find((v) => v.key === key)
    if (known) known.value = value
  }

  private refuseLine(line: string, message: string): void {
    const last = this.vars.at(-1)
    this.error(last ? `${message} If this line belongs to the value of ${last.key}, put that value in double quotes.` : message)
    this.skip(line)
  }

  private error(message: string): void {
    this.errors.push({ line: this.line, message })
  }

  private warn(message: string): void {
    if (this.warnings.length < MOST_WARNINGS) this.warnings.push({ line: this.line, message })
  }

  /** Goes on after a line; it is the first of the rest. */
  private skip(line: string): void {
    this.rest = this.rest.slice(line.length + 1)
    this.line += 1
  }

  /** Goes on after the lines of a key or certificate, if its end is there. */
  private skipPem(line: string): void {
    const end = this.rest.indexOf(PEM_END)
    if (end <= 0) return this.skip(line)
    this.line += lineBreaks(this.rest.slice(0, end))
    this.rest = this.rest.slice(this.rest.slice(0, end).lastIndexOf('\n') + 1)
    this.skip(firstLine(this.rest))
  }
}

/** A quoted value, where its closing quote is, and whether a backslash stood for itself in it. */
interface Quoted {
  value: string
  end: number
  hasUnknown: boolean
}

function literal(body: string): Quoted | null {
  const end = body.indexOf("'")
  return end === -1 ? null : { value: body.slice(0, end), end, hasUnknown: false }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"' }

function unescape(body: string): Quoted | null {
  const [raw] = /^(?:[^"\\]|\\[^])*(?=")/.exec(body) ?? []
  if (raw === undefined) return null
  let hasUnknown = false
  const value = raw.replace(/\\([^])/g, (both, c: string) => {
    if (!(c in ESCAPES)) hasUnknown = true
    return ESCAPES[c] ?? both
  })
  return { value, end: raw.length, hasUnknown }
}
