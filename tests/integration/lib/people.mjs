// People who decide about calls, through the operators' API.
import assert from 'node:assert/strict'
import { until } from './gate.mjs'

export function people(gate, { token } = {}) {
  const ask = async (method, path, body) => gate.operator(method, path, body, token ? { token } : {})
  const self = {
    // What waits now; of one tool's arguments, when given.
    pending: async () => (await ask('GET', '/approvals')).json.approvals,
    // The question that a call became, as soon as it is there. words: something that only its arguments hold.
    question: (words) => until(`a question about ${words}`, async () => {
      for (const { id, digest } of await self.pending()) {
        const shown = await ask('GET', `/approvals/${id}`)
        if (JSON.stringify(shown.json).includes(words)) return { id, digest }
      }
    }),
    decide: async (verdict, { id, digest }, more = {}) => ask('POST', `/approvals/${id}/${verdict}`, { digest, ...more }),
    approve: async (question, more) => {
      const r = await self.decide('approve', question, more)
      assert.equal(r.status, 200, JSON.stringify(r.json))
      return r.json
    },
    deny: async (question, reason, more) => {
      const r = await self.decide('deny', question, { reason, ...more })
      assert.equal(r.status, 200, JSON.stringify(r.json))
      return r.json
    },
  }
  return self
}
