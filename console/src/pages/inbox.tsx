// What waits, the most urgent first.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ended, inOrder, known, live } from '../inbox'
import { move, useKeys } from '../keys'
import { moment } from '../clock'
import { Countdown } from '../parts/countdown'
import { RiskMark } from '../parts/risk'
import { requestPath } from '../route'
import type { News, Waiting } from '../types'
import { visible } from '../visible'

const SHOWN = 100
let last = '' // the one that was looked at: there one comes back to

export const remember = (id: string) => void (last = id)

function People({ a }: { a: Waiting }) {
  const yes = a.approvedBy.length, groups = [...a.reviewers, ...(a.escalatedAt ? a.escalateTo : [])]
  return (
    <>
      {a.people > 1 && <span>{yes} of {a.people} said yes{yes ? `: ${a.approvedBy.map(visible).join(', ')}` : ''}</span>}
      {a.reviewers.length > 0 && <span>for {groups.map(visible).join(', ')}</span>}
      {a.escalatedAt && <span class="mark warn">escalated</span>}
    </>
  )
}

export function Row({ a, here }: { a: Waiting; here?: boolean }) {
  return (
    <li>
      <a class="row" href={requestPath(a.id)} data-id={a.id} aria-current={here ? 'true' : undefined}>
        <Countdown until={a.expiresAt} since={a.createdAt} />
        <span class="what">
          <span class="lead">
            <b>{visible(a.agentType || a.agentId)}</b> wants <b class="tool">{visible(a.tool)}</b>{a.user && <> for <b>{visible(a.user)}</b></>}
          </span>
          <span class="more"><RiskMark risk={a.risk} /><People a={a} />{a.agentType && <span class="faint">{visible(a.agentId)}</span>}</span>
        </span>
      </a>
    </li>
  )
}

const WORDS: Record<string, string> = {
  granted: 'approved', taken: 'approved, on its way', done: 'approved', denied: 'denied', expired: 'out of time', void: 'void' }

function Ended({ n }: { n: News }) {
  return (
    <li>
      <a class="row past" href={requestPath(n.id)}>
        <span class={`outcome ${n.state}`}>{WORDS[n.state] ?? n.state}</span>
        <span class="what"><span class="lead"><b class="tool">{visible(n.tool)}</b></span>
          <span class="more faint"><span>{n.by ? `by ${visible(n.by)}` : ''}</span><span>asked {moment(n.createdAt)}</span></span></span>
      </a>
    </li>
  )
}

export function Inbox() {
  const more = useSignal(1), list = inOrder.value, some = list.slice(0, SHOWN * more.value)
  useEffect(() => document.querySelector<HTMLElement>(`.row[data-id="${CSS.escape(last)}"]`)?.focus(), [known.value])
  useKeys({ j: () => move(1, '.row'), k: () => move(-1, '.row'), ArrowDown: () => move(1, '.row'), ArrowUp: () => move(-1, '.row') })
  return (
    <section class="page">
      <h1>{list.length ? `${list.length} ${list.length === 1 ? 'call waits' : 'calls wait'} for a person` : 'Waiting for a person'}</h1>
      {!list.length && (
        <div class="empty">
          <p>{known.value ? 'Nothing waits.' : live.value === 'down' ? 'What waits is not known: the gateway does not answer.' : 'Looking …'}</p>
          {known.value && (
            <p class="quiet">Calls that need a person appear here by themselves. Silence means no: what nobody decides in time is not made.</p>
          )}
        </div>
      )}
      <ul class="rows">{some.map((a) => <Row key={a.id} a={a} />)}</ul>
      {some.length < list.length && (
        <p><button type="button" onClick={() => more.value++}>Show more: {list.length - some.length} are less urgent</button></p>
      )}
      {ended.value.length > 0 && (
        <>
          <h2 class="minor">Just ended</h2>
          <ul class="rows">{ended.value.slice(0, 8).map((n) => <Ended key={n.id} n={n} />)}</ul>
        </>
      )}
    </section>
  )
}
