// One question: who wants what, how long is left, why it is held; all that there is to see; and the decision.
import { useEffect } from 'preact/hooks'
import { inOrder } from '../inbox'
import { useKeys } from '../keys'
import { open, useLook, type Look } from '../look'
import { Countdown } from '../parts/countdown'
import { RiskMark } from '../parts/risk'
import { Trouble } from '../parts/trouble'
import { go, requestPath } from '../route'
import type { Me, Request } from '../types'
import { visible } from '../visible'
import { DecideBar } from './decide_bar'
import { remember, Row } from './inbox'
import { Sections } from './sections'
import { SoFar, Verdict } from './verdict'

const back = () => go('/')

// The gateway's headline, with the tool's name to catch the eye.
function Headline({ r }: { r: Request }) {
  const at = r.headline.indexOf(r.tool)
  if (at < 0) return <>{r.headline}</>
  return <>{r.headline.slice(0, at)}<b>{r.tool}</b>{r.headline.slice(at + r.tool.length)}</>
}

function Head({ r, me }: { r: Request; me: Me }) {
  return (
    <header class={`request-head ${open(r) ? '' : 'over'}`}>
      <div class="request-lead">
        <h1><Headline r={r} /></h1>
        <p class="held"><RiskMark risk={r.risk} /> <span>Held because {r.why.map(visible).join('; ') || 'its risk is high'}.</span></p>
        <SoFar r={r} me={me.name} />
      </div>
      {open(r) && <Countdown until={r.expiresAt} since={r.createdAt} big />}
    </header>
  )
}

function Shown({ look, r, me }: { look: Look; r: Request; me: Me }) {
  return (
    <>
      <Head r={r} me={me} />
      {look.changed.value && open(r) && (
        <p class="note warn" role="alert">
          {visible(look.changed.value)} changed the arguments while you looked: what stands here is what would be sent now. Look again.
        </p>
      )}
      <Verdict r={r} me={me.name} />
      <Trouble f={look.fault.value} />
      <Sections r={r} />
      {open(r) && <DecideBar look={look} r={r} me={me} back={back} />}
    </>
  )
}

function Rail({ id }: { id: string }) {
  const list = inOrder.value.slice(0, 50)
  return (
    <aside class="rail" aria-label="What waits">
      <p class="minor">{inOrder.value.length ? `${inOrder.value.length} waiting` : 'Nothing waits'}</p>
      <ul class="rows">{list.map((a) => <Row key={a.id} a={a} here={a.id === id} />)}</ul>
    </aside>
  )
}

export function RequestPage({ id, who }: { id: string; who: Me }) {
  const look = useLook(id), r = look.request.value
  useEffect(() => remember(id), [])
  const step = (by: number) => () => {
    const all = inOrder.value, at = all.findIndex((a) => a.id === id), next = all[at < 0 ? 0 : at + by]
    if (next) go(requestPath(next.id))
  }
  useKeys({ j: step(1), k: step(-1), ...(r && open(r) ? {} : { Escape: back }) })
  return (
    <div class="two">
      <Rail id={id} />
      <article class="page request" aria-busy={!r && !look.fault.value}>
        <p class="crumbs"><a href="/">What waits</a> <span class="faint hash">{id}</span></p>
        {r ? <Shown look={look} r={r} me={who} /> : look.fault.value ? <Trouble f={look.fault.value} /> : <p role="status">Looking …</p>}
      </article>
    </div>
  )
}
