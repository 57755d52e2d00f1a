// A modern server over stdio that misbehaves once its tool is called: node rude_server.mjs HOW
// Tools: `call` does it; `fine` answers as it should, with the server's pid. Cancellations are told on stderr.
import { createInterface } from 'node:readline'

const [how] = process.argv.slice(2)
const line = (text) => process.stdout.write(text + '\n')
const send = (message) => line(JSON.stringify({ jsonrpc: '2.0', ...message }))
const done = (id, text) => send({ id, result: { resultType: 'complete', content: [{ type: 'text', text }] } })

const ways = {
  crash: () => process.exit(3),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  hang: () => process.stderr.write('called\n'),
  garbage: (id) => {
    line('this is no JSON')
    line('{"jsonrpc":"2.0",')
    line('[1,2,3]')
    line('\u0001\u0002')
    done(id, 'after garbage')
  },
  strangers: (id) => {
    done('nobody', 'to an unknown id')
    done(7, 'to a number')
    done(null, 'to null')
    send({ method: 'notifications/progress', params: { progressToken: 'nobody', progress: 1 } })
    send({ method: 'notifications/unknown' })
    send({ method: 'notifications/message', params: { level: 'error', data: 'a line that nobody asked for' } })
    send({ id: 'ask', method: 'elicitation/create', params: { message: 'Your name?', requestedSchema: { type: 'object', properties: {} } } })
    done(id, 'the right one')
    done(id, 'the same once more')
  },
  longline: (id) => {
    done(id, 'x'.repeat(3 << 20))
  },
  flood: () => {
    const noise = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x'.repeat(1000) } }) + '\n'
    const block = noise.repeat(1000)
    const more = () => {
      while (process.stdout.write(block));
      process.stdout.once('drain', more)
    }
    more()
  },
  closes: () => process.stdout.end(),
  talks: (id) => {
    process.stderr.write('a word for the log\n')
    done(id, JSON.stringify(process.env))
  },
}

for await (const text of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(text)
  if (method === 'server/discover')
    send({ id, result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } } })
  else if (method === 'tools/list')
    send({ id, result: { resultType: 'complete', tools: ['call', 'fine'].map((name) => ({ name, inputSchema: { type: 'object' } })) } })
  else if (method === 'notifications/cancelled') process.stderr.write(`cancelled ${params.requestId}\n`)
  else if (method === 'tools/call' && params.name === 'fine') done(id, String(process.pid))
  else if (method === 'tools/call') ways[how](id)
}
