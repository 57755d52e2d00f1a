// JSON as it was written: numbers keep their digits (9007199254740993 stays itself), a name stands once, and an error says where.
import { visibleJson } from './visible'

export class Num {
  constructor(readonly raw: string) {}
}
export type Json = null | boolean | string | Num | Json[] | Map<string, Json>

const DEPTH = 200

export class JsonError extends Error {
  constructor(text: string, at: number, what: string) {
    const before = text.slice(0, at).split('\n')
    super(`line ${before.length}, column ${before[before.length - 1]!.length + 1}: ${what}`)
  }
}

class Reader {
  at = 0
  constructor(readonly text: string) {}

  fail(what: string, at = this.at): never {
    throw new JsonError(this.text, at, what)
  }

  space() {
    while (' \t\n\r'.includes(this.text[this.at] ?? '!')) this.at++
  }

  value(depth: number): Json {
    this.space()
    if (depth > DEPTH) this.fail(`deeper than ${DEPTH}`)
    const c = this.text[this.at]
    if (c === '{') return this.object(depth)
    if (c === '[') return this.array(depth)
    if (c === '"') return this.string()
    for (const [word, value] of [['true', true], ['false', false], ['null', null]] as const)
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length
        return value
      }
    return this.number()
  }

  number(): Num {
    const form = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
    form.lastIndex = this.at
    const raw = form.exec(this.text)?.[0]
    if (raw === undefined) this.fail('a value should stand here')
    this.at += raw.length
    return new Num(raw)
  }

  string(): string {
    const from = this.at++
    for (;; this.at++) {
      const c = this.text[this.at]
      if (c === undefined || c === '\n') this.fail('this text has no end: a " is missing', from)
      if (c === '"') break
      if (c === '\\') this.at++
    }
    try {
      return JSON.parse(this.text.slice(from, ++this.at))
    } catch {
      this.fail('this text has a \\ or a control character that JSON does not know', from)
    }
  }

  // Each of a list's or an object's members, until its end.
  members(end: string, one: () => void) {
    this.at++
    this.space()
    if (this.text[this.at] === end) return void this.at++
    for (;;) {
      one()
      this.space()
      const c = this.text[this.at]
      if (c !== ',' && c !== end) this.fail(`a , or ${end} should stand here`)
      this.at++
      if (c === end) return
    }
  }

  array(depth: number): Json[] {
    const list: Json[] = []
    this.members(']', () => list.push(this.value(depth + 1)))
    return list
  }

  object(depth: number): Map<string, Json> {
    const map = new Map<string, Json>()
    this.members('}', () => {
      this.space()
      const from = this.at
      if (this.text[this.at] !== '"') this.fail('a name in "" should stand here')
      const key = this.string()
      if (map.has(key)) this.fail(`${JSON.stringify(key)} stands twice`, from)
      this.space()
      if (this.text[this.at] !== ':') this.fail('a : should stand here')
      this.at++
      map.set(key, this.value(depth + 1))
    })
    return map
  }
}

export function parse(text: string): Json {
  const r = new Reader(text)
  const value = r.value(0)
  r.space()
  if (r.at < text.length) r.fail('more behind the end')
  return value
}

export const member = (value: Json, key: string): Json | undefined => (value instanceof Map ? value.get(key) : undefined)

const quoted = (s: string) => visibleJson(JSON.stringify(s))

// For reading: nothing in it is invisible. step '': in one line.
export function print(value: Json, step = '  ', indent = ''): string {
  const inner = indent + step, line = step ? `\n${inner}` : '', last = step ? `\n${indent}` : ''
  const block = (open: string, close: string, parts: string[]) =>
    parts.length ? open + line + parts.join(`,${line || ' '}`) + last + close : open + close
  if (value instanceof Num) return value.raw
  if (Array.isArray(value)) return block('[', ']', value.map((v) => print(v, step, inner)))
  if (value instanceof Map) return block('{', '}', [...value].map(([k, v]) => `${quoted(k)}: ${print(v, step, inner)}`))
  return typeof value === 'string' ? quoted(value) : String(value)
}
