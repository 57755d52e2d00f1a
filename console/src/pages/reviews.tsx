// Calls of medium risk: they went through, and somebody looks at them afterwards.
import { useSignal, type Signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { asFault, Fault, post, send } from '../api'
import { moment } from '../clock'
import { member, parse, print, type Json } from '../json'
import { move, useKeys } from '../keys'
import { Trouble } from '../parts/trouble'
import { decides } from '../session'
import type { Me, Review } from '../types'
import { visible } from '../visible'

const EVERY = 10000, PAGE = 50

interface Seen {
  review: Review
  args: Json
}

async function page(after: number | null) {
  const path = `/admin/v1/reviews?limit=${PAGE}${after ? `&after=${after}` : ''}`
  const { json, text } = await send<{ reviews: Review[]; next: number | null }>('GET', path)
  const exact = member(parse(text), 'reviews') as Json[]
  return { list: json.reviews.map((review, i): Seen => ({ review, args: member(exact[i]!, 'arguments') ?? null })), next: json.next }
}

function One({ one, may, busy, clear }: { one: Seen; may: boolean; busy: boolean; clear: (upTo: boolean) => void }) {
  const { review: r, args } = one, asking = useSignal(false)
  return (
    <li class="review" tabIndex={-1} data-id={r.id}>
      <p class="lead">
        <b>{visible(r.agentType ?? r.agentId)}</b> called <b class="tool">{visible(r.tool)}</b>{r.user && <> for <b>{visible(r.user)}</b></>}
      </p>
      <p class="more faint">
        <span>{moment(r.queuedAt)}</span><span>{visible(r.agentId)}</span><span>{visible(r.result ?? 'no result')}</span><span>entry {r.id}</span>
      </p>
      <pre class="arguments" role="region" tabIndex={0} aria-label="Arguments">{args === null ? 'no arguments on record' : print(args)}</pre>
      {may && !asking.value && (
        <div class="buttons">
          <button type="button" disabled={busy} onClick={() => clear(false)}>I have looked at it</button>
          <button type="button" class="plain" disabled={busy} onClick={() => (asking.value = true)}>… and at all before it</button>
        </div>
      )}
      {asking.value && (
        <div class="buttons" role="group" aria-label="Confirm">
          <span>Clear this one and all that are older?</span>
          <button type="button" class="no" disabled={busy} onClick={() => clear(true)}>Clear them all</button>
          <button type="button" class="plain" onClick={() => (asking.value = false)}>Cancel</button>
        </div>
      )}
    </li>
  )
}

function useReviews() {
  const list = useSignal<Seen[] | null>(null), next = useSignal<number | null>(null), fault = useSignal<Fault | null>(null), older = useSignal(false)
  const tried = async (what: () => Promise<void>) => {
    try {
      await what()
      fault.value = null
    } catch (e) {
      fault.value = asFault(e)
    }
  }
  const load = (after: number | null = null) => tried(async () => {
    const got = await page(after)
    older.value ||= after !== null
    list.value = after ? [...(list.value ?? []), ...got.list] : got.list
    next.value = got.next
  })
  useEffect(() => {
    void load()
    const timer = setInterval(() => document.visibilityState === 'visible' && !older.peek() && void load(), EVERY)
    return () => clearInterval(timer)
  }, [])
  return { list, next, fault, load, tried }
}

const cleared = (list: Signal<Seen[] | null>, id: number, upTo: boolean) =>
  void (list.value = (list.value ?? []).filter((s) => (upTo ? s.review.id > id : s.review.id !== id)))

export function Reviews({ who }: { who: Me }) {
  const { list, next, fault, load, tried } = useReviews(), busy = useSignal(false)
  useKeys({ j: () => move(1, '.review'), k: () => move(-1, '.review') })
  async function clear(id: number, upTo: boolean) {
    busy.value = true
    await tried(async () => {
      await post(`/admin/v1/reviews/${id}/clear`, upTo ? { upTo } : {})
      cleared(list, id, upTo)
      if (upTo) next.value = null
    })
    busy.value = false
  }
  return (
    <section class="page">
      <h1>Reviews</h1>
      <p class="quiet">Calls of medium risk. They were made; somebody looks at them afterwards. The newest first.</p>
      <Trouble f={fault.value} />
      {list.value === null && <p role="status">Looking …</p>}
      {list.value?.length === 0 && <div class="empty"><p>Nothing is left to look at.</p></div>}
      <ul class="reviews">
        {list.value?.map((s) => (
          <One key={s.review.id} one={s} may={decides(who)} busy={busy.value} clear={(upTo) => clear(s.review.id, upTo)} />
        ))}
      </ul>
      {next.value && <p><button type="button" onClick={() => load(next.value)}>Older ones</button></p>}
    </section>
  )
}
