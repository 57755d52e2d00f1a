// The record as it grows: the newest entries, bounded, with filters and a pause.
import { useSignal, type Signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Fault, get } from '../api'
import { moment } from '../clock'
import { member, parse, print } from '../json'
import { useKeys } from '../keys'
import { Live } from '../parts/live'
import { Trouble } from '../parts/trouble'
import { follow } from '../stream'
import type { Entry } from '../types'
import { visible } from '../visible'

const KEPT = 500, SHOWN = 200, BEFORE = 60, BRIEF = 300, FLUSH = 200 // entries, rows, entries of before, characters, ms

interface Seen extends Entry {
  raw: string
}

const KINDS = { all: 'everything', yes: 'let through', no: 'refused', people: 'people decide', house: 'the house' } as const
type Kind = keyof typeof KINDS

function kind(e: Entry): Kind {
  if (/^(APPROVAL|REVIEW)_/.test(e.event)) return 'people'
  if (!/^TOOL_/.test(e.event)) return 'house'
  return e.event === 'TOOL_DENIED' || e.result === 'denied' || e.policyDecision?.allowed === false ? 'no' : 'yes'
}

const tone = (e: Entry) => (e.result === 'denied' || e.event === 'TOOL_DENIED' ? 'stop' : e.result === 'failure' || e.result === 'timeout' ? 'warn'
  : /GRANTED|EDITED|TOOL_RESULT/.test(e.event) ? 'ok' : '')

const briefs = new WeakMap<Seen, string>()
const short = (text: string) => (text.length > BRIEF ? `${text.slice(0, BRIEF)} …` : text)

function brief(e: Seen) {
  if (!briefs.has(e)) briefs.set(e, short(words(e)))
  return briefs.get(e)
}

function words(e: Seen) {
  if (e.event === 'TOOL_RESULT') return [e.result, e.latencyMs !== null && `${e.latencyMs} ms`, e.code].filter(Boolean).join(' · ')
  const parameters = member(parse(e.raw), 'parameters'), reason = e.event === 'TOOL_CALL' ? null : e.policyDecision?.reason
  return [e.actor && `by ${visible(e.actor)}`, parameters && print(parameters, ''), e.code, reason && visible(reason)].filter(Boolean).join(' · ')
}

function Line({ e }: { e: Seen }) {
  const open = useSignal(false)
  return (
    <li>
      <details class="entry" onToggle={(t) => (open.value = t.currentTarget.open)}>
        <summary>
          <span class="at">{moment(e.timestamp)}</span>
          <span class={`mark ${tone(e)}`}>{e.event}</span>
          <span class="whom">{visible(e.agentType ?? e.agentId ?? 'the gateway')}</span>
          <span class="tool">{visible(e.toolName ?? '')}</span>
          <span class="brief">{brief(e)}</span>
        </summary>
        {open.value && <pre class="arguments" role="region" tabIndex={0} aria-label={`Entry ${e.seq}`}>{print(parse(e.raw))}</pre>}
      </details>
    </li>
  )
}

interface Feed {
  entries: Signal<Seen[]>
  state: Signal<'connecting' | 'live' | 'down'>
  fault: Signal<Fault | null>
}

// What comes in bursts is shown a few times a second.
function useFeed(): Feed {
  const entries = useSignal<Seen[]>([]), state = useSignal<'connecting' | 'live' | 'down'>('connecting'), fault = useSignal<Fault | null>(null)
  useEffect(() => {
    let stop = () => {}, over = false, timer = 0, heap: Seen[] = []
    const flush = () => {
      entries.value = [...heap.reverse(), ...entries.value].slice(0, KEPT)
      heap = []
      timer = 0
    }
    const hears = {
      live: () => { state.value = 'live'; fault.value = null },
      down: (f: Fault) => { state.value = 'down'; fault.value = f },
      event: (name: string, data: string) => {
        if (name !== 'entry') return
        heap.push({ ...JSON.parse(data), raw: data })
        if (heap.length > KEPT) heap.shift()
        timer ||= window.setTimeout(flush, FLUSH)
      },
    }
    const begin = (seq: number) => { if (!over) stop = follow(`/admin/v1/audit/stream?after=${Math.max(0, seq - BEFORE)}`, hears) }
    get<{ audit: { seq: number } }>('/admin/v1/status').then((s) => begin(s.audit.seq), () => begin(0))
    return () => {
      over = true
      stop()
      clearTimeout(timer)
    }
  }, [])
  return { entries, state, fault }
}

function Filters({ kindOf, agent, agents }: { kindOf: Signal<Kind>; agent: Signal<string>; agents: string[] }) {
  return (
    <>
      <label>Show <select value={kindOf.value} onChange={(e) => (kindOf.value = e.currentTarget.value as Kind)}>
        {Object.entries(KINDS).map(([k, words]) => <option key={k} value={k}>{words}</option>)}
      </select></label>
      <label>of <select value={agent.value} onChange={(e) => (agent.value = e.currentTarget.value)}>
        <option value="">all agents</option>
        {agents.map((a) => <option key={a} value={a}>{visible(a)}</option>)}
      </select></label>
    </>
  )
}

export function Activity() {
  const { entries, state, fault } = useFeed(), kindOf = useSignal<Kind>('all'), agent = useSignal(''), held = useSignal<Seen[] | null>(null)
  const all = held.value ?? entries.value, newer = held.value ? entries.value.findIndex((e) => e.seq === held.value?.[0]?.seq) : 0
  const agents = [...new Set(entries.value.map((e) => e.agentId).filter((a): a is string => !!a))].sort()
  const fits = all.filter((e) => (kindOf.value === 'all' || kind(e) === kindOf.value) && (!agent.value || e.agentId === agent.value))
  const more = newer > 0 ? `: ${newer} newer` : newer < 0 ? `: ${KEPT} newer, or more` : ''
  const pause = () => void (held.value = held.value ? null : entries.value)
  useKeys({ p: pause })
  return (
    <section class="page wide">
      <h1>Activity <Live state={state.value} f={fault.value} /></h1>
      <div class="tools">
        <Filters kindOf={kindOf} agent={agent} agents={agents} />
        <button type="button" aria-pressed={held.value !== null} onClick={pause}>{held.value ? `Go on${more}` : 'Pause'}</button>
      </div>
      {state.value === 'down' && <Trouble f={fault.value} />}
      {!fits.length && (
        <div class="empty"><p>{entries.value.length ? 'Nothing of that kind among the newest entries.' : 'Nothing has happened yet.'}</p></div>
      )}
      <ul class="entries">{fits.slice(0, SHOWN).map((e) => <Line key={e.seq} e={e} />)}</ul>
      {fits.length > 0 && <p class="quiet">The newest {Math.min(SHOWN, fits.length)}. All of the record: <code>doorward audit search</code></p>}
    </section>
  )
}
