// Server-sent events over fetch. Unlike EventSource it hears the comments that keep a stream awake, so that one that is dead is
// noticed, and it can tell why a stream was refused.
import { ALONE, asFault, Fault, lost, own, refusal } from './api'
import { heard } from './clock'

const SILENCE = 40000 // the gateway says something every 15 s
const PAUSES = [500, 1000, 2000, 4000, 8000, 15000]

export interface Hears {
  live(): void
  event(name: string, data: string): void
  down(f: Fault): void
}

interface Told {
  name: string
  data: string
  id: string
}

function read(block: string): Told {
  const told = { name: 'message', data: '', id: '' }
  for (const line of block.split('\n')) {
    const at = line.indexOf(':'), value = line.slice(at + 1).replace(/^ /, '')
    if (line.startsWith('event:')) told.name = value
    else if (line.startsWith('data:')) told.data += (told.data && '\n') + value
    else if (line.startsWith('id:')) told.id = value
  }
  return told
}

// Browsers open six connections to a host, whatever the number of tabs, and a stream takes one: a tab that nobody sees leaves its
// own, but for one of them, whose title goes on saying how much waits. Says whether it is this tab's turn, now and later.
function turns(path: string, turn: (on: boolean) => void): () => void {
  let end = () => {}
  function look() {
    end()
    end = () => {}
    turn(document.visibilityState === 'visible')
    if (document.visibilityState === 'visible') return
    const wanted = new AbortController()
    end = () => wanted.abort()
    navigator.locks?.request(`doorward ${path}`, { signal: wanted.signal }, () => {
      turn(true)
      return new Promise<void>((done) => (end = done))
    }).catch(() => {}) // seen again before it had one
  }
  look()
  document.addEventListener('visibilitychange', look)
  return () => {
    document.removeEventListener('visibilitychange', look)
    end()
  }
}

// Follows it until the function that it gives back is called.
export function follow(path: string, hears: Hears): () => void {
  let stopped = false, on = false, left = false, tries = 0, last = '', wake = () => {}
  let going = new AbortController()

  async function once() {
    const quiet = new AbortController()
    let timer = 0
    left = false
    const awake = () => {
      clearTimeout(timer)
      timer = window.setTimeout(() => quiet.abort(), SILENCE)
    }
    going = quiet
    awake()
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream', ...own(), ...ALONE }
      if (last) headers['last-event-id'] = last
      const res = await fetch(path, { headers, cache: 'no-store', credentials: 'same-origin', signal: quiet.signal })
      heard(res.headers.get('date'))
      if (!res.ok || !res.body) throw await refusal(res)
      tries = 0
      hears.live()
      const reader = res.body.pipeThrough(new TextDecoderStream()).getReader()
      for (let text = ''; ; ) {
        const { done, value } = await reader.read()
        if (done) throw new Fault(0, 'ended', 'the gateway has ended the stream')
        awake()
        text += value
        const blocks = text.split('\n\n')
        text = blocks.pop()!
        for (const told of blocks.map(read)) {
          if (told.id) last = told.id
          if (told.name === 'end' || told.name === 'error') {
            const { error, message } = JSON.parse(told.data)
            throw new Fault(error === 'invalid_token' ? 401 : 0, error, message)
          }
          if (told.data) hears.event(told.name, told.data)
        }
      }
    } finally {
      clearTimeout(timer)
      quiet.abort()
    }
  }

  async function run() {
    while (!stopped) {
      if (!on) {
        await new Promise<void>((done) => (wake = done))
        continue
      }
      try {
        await once()
      } catch (e) {
        if (stopped) return
        if (left) continue
        const f = e instanceof Fault ? e : new Fault(0, 'unreachable', 'the gateway does not answer')
        if (f.status === 401) return lost(f)
        hears.down(f)
      }
      const pause = PAUSES[Math.min(tries++, PAUSES.length - 1)]!
      await new Promise<void>((done) => {
        wake = done
        setTimeout(done, pause)
      })
    }
  }

  const back = () => wake()
  const noMore = turns(path, (now) => {
    on = now
    left ||= !now
    if (now) wake()
    else going.abort()
  })
  addEventListener('online', back)
  run().catch((e) => hears.down(asFault(e)))
  return () => {
    stopped = true
    noMore()
    going.abort()
    wake()
    removeEventListener('online', back)
  }
}
