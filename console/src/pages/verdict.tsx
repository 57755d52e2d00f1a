// How it ended, said at once: who, when, and what it means.
import { moment } from '../clock'
import { open, yes } from '../look'
import type { Decision, Request } from '../types'
import { visible } from '../visible'

const TITLES: Record<string, string> = {
  granted: 'Approved', taken: 'Approved', done: 'Approved', denied: 'Denied', expired: 'Time is over', void: 'Void', pending: 'Time is over' }
const TONES: Record<string, string> = { granted: 'ok', taken: 'ok', done: 'ok', denied: 'stop', expired: 'stop', void: 'warn', pending: 'stop' }
const NOTHING = 'Nobody decided in time: it counts as denied, and the call is not made.'

function who(d: Decision, me: string) {
  const what = /deny/.test(d.verdict) ? 'said no' : d.edited ? 'said yes, with other arguments' : 'said yes'
  const how = `over ${visible(d.channel || 'another channel')}${d.breakGlass ? ', by break-glass' : ''}`
  return `${d.by === me ? 'You' : visible(d.by)} ${what} at ${moment(d.at)}, ${how}${d.reason ? `: “${visible(d.reason)}”` : '.'}`
}

export function Verdict({ r, me }: { r: Request; me: string }) {
  if (open(r)) return null
  const last = r.decisions.at(-1), decided = last && /granted|taken|done|denied/.test(r.state)
  const title = r.state === 'expired' && last ? 'Approved, and not taken up in time' : TITLES[r.state] ?? r.state
  return (
    <div class={`verdict ${r.state === 'done' && !r.made ? 'warn' : TONES[r.state] ?? ''}`} role="alert">
      <p class="title">{title}{decided ? ` by ${last.by === me ? 'you' : visible(last.by)}` : ''}{r.state === 'done' && !r.made && ', and not made'}</p>
      {r.decisions.map((d, i) => <p key={i}>{who(d, me)}</p>)}
      {/expired|pending/.test(r.state) && !last ? <p>{NOTHING}</p> : <p class="quiet">{r.deadline} {r.state === 'void' && visible(r.reason)}</p>}
    </div>
  )
}

// While another person is needed.
export function SoFar({ r, me }: { r: Request; me: string }) {
  const said = yes(r)
  if (!open(r) || (r.people < 2 && !said.length)) return null
  return (
    <p class="so-far" role="status">
      {said.length} of {r.people} people said yes{said.length ? `: ${said.map((n) => (n === me ? 'you' : visible(n))).join(', ')}` : ''}
      {said.includes(me) ? '. Another person has to say yes as well.' : ''}
    </p>
  )
}
