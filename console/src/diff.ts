// What an edit changes, argument by argument.
import { Num, print, type Json } from './json'
import { visible } from './visible'

export interface Change {
  path: string
  before?: string // undefined: it was not there
  after?: string // undefined: it is not there any more
}

// 1.50, 15e-1 and 1.5 are one number.
function plain(raw: string) {
  const [, sign, whole, part = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(raw)!
  const digits = (whole + part).replace(/^0+/, ''), kept = digits.replace(/0+$/, '')
  return kept ? `${sign}${kept}e${Number(power) - part.length + digits.length - kept.length}` : '0'
}

const step = (path: string, key: string | number) =>
  typeof key === 'number' ? `${path}[${key}]` : /^[\w-]+$/.test(key) ? (path ? `${path}.${key}` : key) : `${path}[${visible(JSON.stringify(key))}]`

const shown = (value: Json | undefined) => (value === undefined ? undefined : print(value, ''))

export function changes(before: Json | undefined, after: Json | undefined, path = ''): Change[] {
  if (before instanceof Num && after instanceof Num && plain(before.raw) === plain(after.raw)) return []
  if (before instanceof Map && after instanceof Map)
    return [...new Set([...before.keys(), ...after.keys()])].flatMap((k) => changes(before.get(k), after.get(k), step(path, k)))
  if (Array.isArray(before) && Array.isArray(after))
    return [...Array(Math.max(before.length, after.length)).keys()].flatMap((i) => changes(before[i], after[i], step(path, i)))
  const change = { path, before: shown(before), after: shown(after) }
  return change.before === change.after ? [] : [change]
}
