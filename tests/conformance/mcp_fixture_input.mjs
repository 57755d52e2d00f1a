// The tools and the prompt of the fixture that want something of their client in the middle. Each is written once: a client of
// 2026-07-28 gets `input_required`, and the SDK asks one of 2025-11-25 by requests.
import { createRequestStateCodec, inputRequired } from '@modelcontextprotocol/server'
import { randomBytes } from 'node:crypto'

const text = (words) => ({ type: 'text', text: words })
const object = (properties, required = Object.keys(properties)) => ({ type: 'object', properties, required })
const elicit = (message, requestedSchema) => inputRequired.elicit({ message, requestedSchema })
const sample = (words, maxTokens) => inputRequired.createMessage({ messages: [{ role: 'user', content: text(words) }], maxTokens })
const NAME = { user_name: elicit('What is your name?', object({ name: { type: 'string' } })) }
const ROOTS = { client_roots: inputRequired.listRoots() }
const CONFIRM = { confirm: elicit('Please confirm', object({ ok: { type: 'boolean' } })) }
const CAPITAL = { capital_question: sample('What is the capital of France?', 100) }

export const states = createRequestStateCodec({ key: randomBytes(32) })

// Wants every answer, and the state of round 1 where there is one; then `does` says what came of it.
const wanting = (requests, does, { state, inputSchema } = {}) => ({
  inputSchema,
  does: async (args, { mcpReq }) => {
    const inputRequests = typeof requests === 'function' ? requests(args) : requests
    const answers = mcpReq.inputResponses ?? {}
    const stateFits = !state || mcpReq.requestState() === state
    if (stateFits && Object.keys(inputRequests).every((key) => answers[key])) return [text(does(answers))]
    return inputRequired({ inputRequests, ...(state && { requestState: await states.mint(state) }) })
  },
})

const DEFAULTS = object({
  name: { type: 'string', default: 'John Doe' }, age: { type: 'integer', default: 30 }, score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' }, verified: { type: 'boolean', default: true } }, [])
const titled = (...titles) => titles.map((title, i) => ({ const: `value${i + 1}`, title }))
const OPTIONS = ['option1', 'option2', 'option3']
const ENUMS = object({
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: titled('First Option', 'Second Option', 'Third Option') },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
  titledMulti: { type: 'array', items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') } } }, [])
const completed = ({ asked: { action, content } }) => `Elicitation completed: action=${action}, content=${JSON.stringify(content)}`

export const inputTools = {
  test_elicitation: wanting(({ message }) => ({ asked: elicit(message, object({
    username: { type: 'string', description: 'User\'s response' }, email: { type: 'string', description: 'User\'s email address' } })) }),
    ({ asked }) => `User response: ${JSON.stringify(asked)}`, { inputSchema: object({ message: { type: 'string' } }) }),
  test_elicitation_sep1034_defaults: wanting({ asked: elicit('Please look these over', DEFAULTS) }, completed),
  test_elicitation_sep1330_enums: wanting({ asked: elicit('Please choose', ENUMS) }, completed),
  test_sampling: wanting(({ prompt }) => ({ asked: sample(prompt, 100) }), ({ asked }) => `LLM response: ${asked.content.text}`,
    { inputSchema: object({ prompt: { type: 'string' } }) }),

  test_input_required_result_elicitation: wanting(NAME, ({ user_name }) => `Hello, ${user_name.content?.name}!`),
  test_input_required_result_sampling: wanting(CAPITAL, ({ capital_question }) => capital_question.content.text),
  test_input_required_result_list_roots: wanting(ROOTS, ({ client_roots }) => client_roots.roots.map((r) => r.uri).join(' ')),
  test_input_required_result_request_state: wanting(CONFIRM, () => 'state-ok', { state: 'the state of round 1' }),
  test_input_required_result_multiple_inputs: wanting({ ...NAME, greeting: sample('Generate a greeting', 50), ...ROOTS }, () => 'all there',
    { state: 'three things' }),
  test_input_required_result_tampered_state: wanting(CONFIRM, () => 'confirmed', { state: 'nobody may change this' }),
  test_input_required_result_multi_round: {
    does: async (_, { mcpReq }) => {
      const { step1, step2 } = mcpReq.inputResponses ?? {}
      const round = mcpReq.requestState()
      if (round === 'round-2' && step2) return [text('both steps are done')]
      return round === 'round-1' && step1
        ? inputRequired({ requestState: await states.mint('round-2'), inputRequests: {
            step2: elicit('Step 2: What is your favorite color?', object({ color: { type: 'string' } })) } })
        : inputRequired({ requestState: await states.mint('round-1'), inputRequests: {
            step1: elicit('Step 1: What is your name?', object({ name: { type: 'string' } })) } })
    },
  },
  test_input_required_result_capabilities: {
    does: (_, { mcpReq }) => {
      const can = mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {}
      const inputRequests = { ...(can.elicitation && NAME), ...(can.sampling && CAPITAL), ...(can.roots && ROOTS) }
      if (mcpReq.inputResponses || !Object.keys(inputRequests).length) return [text('nothing more is wanted')]
      return inputRequired({ inputRequests })
    },
  },
  // The SDK answers -32021 to a client that cannot do it.
  test_missing_capability: wanting(CAPITAL, () => 'it can'),
}

export const inputPrompt = {
  does: ({ mcpReq }) => {
    const { user_context: given } = mcpReq.inputResponses ?? {}
    if (given) return { messages: [{ role: 'user', content: text(`In the context of ${given.content?.context}`) }] }
    return inputRequired({ inputRequests: {
      user_context: elicit('What context should the prompt use?', object({ context: { type: 'string' } })) } })
  },
}
