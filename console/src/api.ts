// Requests to the gateway. What it refuses is thrown as a Fault, with its code and its words.
import { heard } from './clock'

export class Fault extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message)
  }
}

export const asFault = (e: unknown) => (e instanceof Fault ? e : new Fault(0, 'page_failed', e instanceof Error ? e.message : String(e)))

export interface Answer<T> {
  json: T
  text: string
}

interface Wants {
  text?: string // the body, as it is sent
  headers?: Record<string, string>
  alone?: boolean // the page asks by itself: whoever sits there, or not, has done nothing for it
  stays?: boolean // a 401 is about what was sent, not about the session
}

// Told when somebody signs in, and sent with all that is asked. It is kept where this origin alone reads it: the cookie, browsers
// send to every port of this host. A page goes on with the one it began with, so that it is never somebody else's meanwhile.
const KEPT = 'doorward.token'
let csrf = localStorage.getItem(KEPT) ?? ''
let whenLost: (f: Fault) => void = () => {}
export const own = (): Record<string, string> => (csrf ? { 'x-csrf-token': csrf } : {})
export const ALONE = { 'x-unattended': '1' }
export const known = () => csrf !== ''

export function setCsrf(token: string) {
  csrf = token
  localStorage.setItem(KEPT, token)
}
export const onLost = (then: (f: Fault) => void) => void (whenLost = then)

export async function refusal(res: Response): Promise<Fault> {
  const said = await res.json().catch(() => ({}))
  return new Fault(res.status, said.error ?? `http_${res.status}`, said.message ?? `the gateway answered with ${res.status}`)
}

export function lost(f: Fault) {
  csrf = ''
  whenLost(f)
}

export async function send<T>(method: string, path: string, { text, headers, alone, stays }: Wants = {}): Promise<Answer<T>> {
  const all: Record<string, string> = { accept: 'application/json', ...own(), ...(alone ? ALONE : {}), ...headers }
  if (text !== undefined) all['content-type'] = 'application/json'
  let res: Response
  try {
    res = await fetch(path, { method, headers: all, body: text, cache: 'no-store', credentials: 'same-origin' })
  } catch {
    throw new Fault(0, 'unreachable', 'the gateway does not answer; nothing is known of what became of this')
  }
  heard(res.headers.get('date'))
  if (!res.ok) {
    const f = await refusal(res)
    if (f.status === 401 && !stays) lost(f)
    throw f
  }
  const body = await res.text()
  return { json: JSON.parse(body || '{}') as T, text: body }
}

export const get = async <T>(path: string, more: Wants = {}) => (await send<T>('GET', path, more)).json
export const post = async <T>(path: string, body: unknown, more: Wants = {}) =>
  (await send<T>('POST', path, { ...more, text: JSON.stringify(body) })).json
