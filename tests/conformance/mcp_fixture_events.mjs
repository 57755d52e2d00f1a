// What a legacy session has sent, so that a client that comes back gets what it missed. Kept as long as the session.
export class EventStore {
  events = [] // in the order of sending: { id, stream, message }

  async storeEvent(stream, message) {
    const id = `${stream}/${this.events.length}`
    this.events.push({ id, stream, message })
    return id
  }

  async getStreamIdForEventId(id) {
    return this.events.find((e) => e.id === id)?.stream
  }

  async replayEventsAfter(last, { send }) {
    const at = this.events.findIndex((e) => e.id === last)
    if (at < 0) throw new Error('no such event')
    const { stream } = this.events[at]
    for (const event of this.events.slice(at + 1))
      if (event.stream === stream && event.message.jsonrpc) await send(event.id, event.message) // without: the priming event
    return stream
  }
}
