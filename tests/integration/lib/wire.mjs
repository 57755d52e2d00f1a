// Requests as bytes of the test's choice: fields that no client of the field would send, in any number.
//
//   await wire(port, { fields: [['Host', '127.0.0.1'], …], body: '{…}' })   ->   { status, head, text, json }
import { connect } from 'node:net'

// Content-Length and Connection are added. The answer is read until the other side closes.
export function wire(port, { method = 'POST', path = '/mcp', fields, body = '' }, ms = 10000) {
  const lines = [`${method} ${path} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`),
                 `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close', '', '']
  return new Promise((done, fail) => {
    const heard = []
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([Buffer.from(lines.join('\r\n')), Buffer.from(body)])))
    const late = setTimeout(() => socket.destroy(new Error(`still open after ${ms} ms`)), ms)
    socket.on('data', (d) => heard.push(d))
    socket.on('error', (e) => e.code !== 'ECONNRESET' && fail(e)) // a reset behind the answer
    socket.on('close', () => {
      clearTimeout(late)
      done(read(Buffer.concat(heard)))
    })
  })
}

function read(bytes) {
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.subarray(0, end).toString('latin1')
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(end + 4)) // an answer is valid UTF-8
  let json
  if (text && /^content-type: application\/json/im.test(head)) json = JSON.parse(text)
  return { status: Number(head.split(' ')[1]), head, text, json }
}
