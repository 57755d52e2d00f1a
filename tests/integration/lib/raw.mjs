// A connection as bytes: what a test sends is what arrives, and what was heard until the other side closed.
import { connect } from 'node:net'

// Sends bytes on a connection of its own; hands back what came until it was closed from the other side.
export function exchange(port, bytes, ms = 10000) {
  return new Promise((done, fail) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const timer = setTimeout(() => fail(new Error(`still open after ${ms} ms; heard ${JSON.stringify(text.slice(0, 2000))}`)), ms)
    socket.on('data', (d) => (text += d.toString('latin1')))
    socket.on('error', () => {}) // a reset behind the answer
    socket.on('close', () => {
      clearTimeout(timer)
      done(text)
    })
  })
}

// A connection that stays: `heard` grows, `closed` is when.
export function open(port, bytes = '', { read = true } = {}) {
  const c = { heard: '', closed: 0 }
  c.socket = connect(port, '127.0.0.1', () => bytes && c.socket.write(bytes))
  if (read) c.socket.on('data', (d) => (c.heard += d.toString('latin1')))
  else c.socket.pause()
  c.socket.on('error', () => {})
  c.socket.on('close', () => (c.closed = Date.now()))
  return c
}

export const answers = (text) => text.match(/HTTP\/1\.1 \d{3} /g) ?? []

// One tools/call of the 2026-07-28 revision, whole. more: fields.
export function callBytes({ port, token, name, args = {}, id = 1, more = '' }) {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } })
  return `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
    `Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: ${name}\r\n${more}` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
