// Server-sent events over fetch. Unlike EventSource it hears the comments that keep a stream awake, so that one that is dead is
// noticed, and it can tell why a stream was refused. A browser has six connections for one gateway: of the tabs that nobody sees, one
// keeps its stream, and the others begin again when they are looked at.
import { asFault, Fault, lost, own, refusal } from './api'
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

// Follows it until the function that it gives back is called.
export function follow(path: string, hears: Hears): () => void {
  let stopped = false, resting = false, tries = 0, last = '', wake = () => {}, release = () => {}
  let going = new AbortController()

  function seen() {
    release()
    if (document.visibilityState === 'visible') {
      resting = false
      return wake()
    }
    void navigator.locks?.request(`doorward ${path}`, { ifAvailable: true }, (lock) => {
      if (stopped || document.visibilityState === 'visible') return
      if (lock) return new Promise<void>((done) => (release = done))
      resting = true
      going.abort()
    })
  }

  async function once() {
    const quiet = new AbortController()
    let timer = 0
    const awake = () => {
      clearTimeout(timer)
      timer = window.setTimeout(() => quiet.abort(), SILENCE)
    }
    going = quiet
    awake()
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream', ...own() }
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
      try {
        await once()
      } catch (e) {
        if (stopped) return
        const f = e instanceof Fault ? e : new Fault(0, 'unreachable', 'the gateway does not answer')
        if (f.status === 401) return lost(f)
        if (!resting) hears.down(f)
      }
      const pause = PAUSES[Math.min(tries++, PAUSES.length - 1)]!
      await new Promise<void>((done) => {
        wake = done
        if (!resting) setTimeout(done, pause)
      })
    }
  }

  const back = () => wake()
  document.addEventListener('visibilitychange', seen)
  addEventListener('online', back)
  seen()
  run().catch((e) => hears.down(asFault(e)))
  return () => {
    stopped = true
    going.abort()
    release()
    wake()
    document.removeEventListener('visibilitychange', seen)
    removeEventListener('online', back)
  }
}
