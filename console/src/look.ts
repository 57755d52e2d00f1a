// One question, as it is looked at: loaded, kept up to date, and never changed behind somebody's back.
import { useSignal, useSignalEffect, type Signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { asFault, type Fault, send } from './api'
import { now, tick } from './clock'
import { begun, news } from './inbox'
import { member, parse, type Json } from './json'
import type { News, Request, Section } from './types'

const LATE = 1500 // ms after its end: by then the gateway has said so, or has not heard of us

export interface Look {
  request: Signal<Request | null>
  args: Signal<Json> // with the digits that the agent sent
  fault: Signal<Fault | null>
  changed: Signal<string> // the arguments are other ones than those that were shown
  reload: () => Promise<void>
}

// Of what is over the gateway keeps no arguments; what was shown stays.
const KEPT = ['tool', 'effect', 'reasoning']
const kept = (before: Section[], after: Section[]) =>
  after.map((s) => (KEPT.includes(s.part) && before.find((b) => b.part === s.part)) || s)

// What the stream says, until the whole of it is read again.
function told(r: Request, n: News): Request {
  const told = { at: new Date(now()).toISOString(), by: n.by, channel: n.channel, edited: false, reason: '',
                 verdict: n.state === 'denied' ? 'deny' : 'approve' }
  const fresh = n.by && n.state !== 'pending' && !r.decisions.some((d) => d.by === n.by)
  const decisions = fresh ? [...r.decisions, told] : r.decisions
  return { ...r, state: n.state, expiresAt: n.expiresAt, decisions, deadline: n.state === r.state ? r.deadline : '' }
}

async function fetched(id: string, before: Request | null) {
  const { json, text } = await send<Request>('GET', `/admin/v1/approvals/${encodeURIComponent(id)}`, { alone: !!before })
  const args = member(parse(text), 'arguments') ?? null
  if (before && args === null) {
    json.sections = kept(before.sections, json.sections)
    json.headline = before.headline
  }
  return { json, args }
}

const by = (r: Request) => r.decisions.findLast((d) => d.edited)?.by ?? 'somebody'

export function useLook(id: string): Look {
  const request = useSignal<Request | null>(null), args = useSignal<Json>(null), fault = useSignal<Fault | null>(null), changed = useSignal('')
  const since = useRef(begun.peek())
  async function reload() {
    const before = request.peek()
    try {
      const got = await fetched(id, before)
      if (before && got.args !== null && before.digest !== got.json.digest) changed.value = by(got.json)
      request.value = got.json
      if (got.args !== null || !before) args.value = got.args
      fault.value = null
    } catch (e) {
      fault.value = asFault(e)
    }
  }
  useEffect(() => void reload(), [])
  useSignalEffect(() => {
    const n = news.value, r = request.peek()
    if (n?.id !== id) return
    if (r) request.value = told(r, n)
    void reload()
  })
  useSignalEffect(() => {
    if (begun.value > Math.max(1, since.current)) void reload() // what happened meanwhile
    since.current = begun.value
  })
  const asked = useSignal(0)
  useSignalEffect(() => {
    const r = request.value
    if (r?.state !== 'pending' || tick.value < Date.parse(r.expiresAt) + LATE || asked.peek() > tick.value - 5000) return
    asked.value = tick.value
    void reload()
  })
  return { request, args, fault, changed, reload }
}

// Whether it can be decided at this moment.
export const open = (r: Request) => r.state === 'pending' && Date.parse(r.expiresAt) > tick.value

// Whether break-glass is open: then one approver alone may say yes.
export const glass = (r: Request) => r.sections.some((s) => s.part === 'why' && s.fields.some((f) => f.name === 'Break-glass'))

// Who said yes to the very arguments that are shown.
export const yes = (r: Request) => [...new Set(r.decisions.filter((d) => d.verdict !== 'deny' && d.verdict !== 'deny_and_kill').map((d) => d.by))]

