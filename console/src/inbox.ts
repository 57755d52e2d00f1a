// What waits, kept up to date by the gateway's stream.
import { computed, signal } from '@preact/signals'
import { asFault, Fault, get } from './api'
import { follow } from './stream'
import type { News, Waiting } from './types'

const ENDS = 20, AGAIN = 400 // ms between two looks at the list, however much happens

export const live = signal<'connecting' | 'live' | 'down'>('connecting')
export const down = signal<Fault | null>(null) // why it is not live
export const begun = signal(0) // how often the stream has begun: what happened before is read again
export const waiting = signal<ReadonlyMap<string, Waiting>>(new Map())
export const known = signal(false) // what waits has been told once
export const ended = signal<News[]>([]) // the newest first
export const news = signal<News | null>(null)

export const inOrder = computed(() => [...waiting.value.values()]
  .sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : a.expiresAt > b.expiresAt ? 1 : a.id < b.id ? -1 : 1)))

let timer = 0
const put = (list: Waiting[]) => {
  waiting.value = new Map(list.map((a) => [a.id, a]))
  known.value = true
}

// The stream's news are short: the rest of a new one, and who said yes, is in the list.
function again() {
  timer ||= window.setTimeout(async () => {
    try {
      put((await get<{ approvals: Waiting[] }>('/admin/v1/approvals', { alone: true })).approvals)
    } catch (e) {
      down.value = asFault(e)
    }
    timer = 0
  }, AGAIN)
}

function hear(n: News) {
  const all = new Map(waiting.value)
  if (n.state === 'pending') {
    const empty = { agentType: '', sessionId: '', user: '', digest: '', reviewers: [], escalateTo: [], approvedBy: [] }
    all.set(n.id, { ...empty, ...all.get(n.id), ...n })
    again()
  } else {
    all.delete(n.id)
    ended.value = [n, ...ended.value.filter((e) => e.id !== n.id)].slice(0, ENDS)
  }
  waiting.value = all
  news.value = n
}

export function watch() {
  const stop = follow('/admin/v1/approvals/stream', {
    live() {
      live.value = 'live'
      begun.value++
      down.value = null
    },
    down(f) {
      live.value = 'down'
      down.value = f
    },
    event(name, data) {
      if (name === 'pending') put(JSON.parse(data).approvals)
      else if (name === 'approval') hear(JSON.parse(data))
    },
  })
  return () => {
    stop()
    clearTimeout(timer)
    timer = 0
    live.value = 'connecting'
    known.value = false
    waiting.value = new Map()
    ended.value = []
    news.value = null
  }
}
