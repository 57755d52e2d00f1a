// What the official suite's scenarios about input from the client expect of a server: mcp_server.mjs offers these tools.
const text = (words) => ({ type: 'text', text: words })
const schema = (name, type = 'string') => ({ type: 'object', properties: { [name]: { type } }, required: [name] })
const elicit = (message, requestedSchema) => ({ method: 'elicitation/create', params: { message, requestedSchema } })
const sample = (words, maxTokens) => ({ method: 'sampling/createMessage', params: { messages: [{ role: 'user', content: text(words) }], maxTokens } })
const NAME = { user_name: elicit('What is your name?', schema('name')) }
const ROOTS = { client_roots: { method: 'roots/list', params: {} } }
const CONFIRM = { confirm: elicit('Please confirm', schema('ok', 'boolean')) }

// Asked for until every key is answered; then `does` says what came of it.
const wanting = (requests, does, state) => ({
  wants: ({ inputResponses = {}, requestState }) => {
    const stateFits = !state || requestState === state
    return Object.keys(requests).every((k) => inputResponses[k]) && stateFits ? { content: [text(does(inputResponses))] }
      : { resultType: 'input_required', inputRequests: requests, ...(state && { requestState: state }) }
  },
})

export const modernTools = {
  test_input_required_result_elicitation: wanting(NAME, ({ user_name }) => `Hello, ${user_name.content?.name}!`),
  test_input_required_result_sampling: wanting({ capital_question: sample('What is the capital of France?', 100) },
    ({ capital_question }) => capital_question.content.text),
  test_input_required_result_list_roots: wanting(ROOTS, ({ client_roots }) => client_roots.roots.map((r) => r.uri).join(' ')),
  test_input_required_result_request_state: wanting(CONFIRM, () => 'state-ok', 'the state of round 1'),
  test_input_required_result_multiple_inputs: wanting({ ...NAME, greeting: sample('Generate a greeting', 50), ...ROOTS }, () => 'all there', 'three things'),
  test_input_required_result_tampered_state: wanting(CONFIRM, () => 'confirmed', 'nobody may change this'),
  test_input_required_result_multi_round: {
    wants: ({ inputResponses = {}, requestState }) => {
      if (requestState === 'round-2' && inputResponses.step2) return { content: [text('both steps are done')] }
      const second = requestState === 'round-1' && inputResponses.step1
      return { resultType: 'input_required', requestState: second ? 'round-2' : 'round-1', inputRequests: second
        ? { step2: elicit('Step 2: What is your favorite color?', schema('color')) }
        : { step1: elicit('Step 1: What is your name?', schema('name')) } }
    },
  },
  test_input_required_result_capabilities: {
    wants: ({ inputResponses, _meta }) => {
      const can = _meta['io.modelcontextprotocol/clientCapabilities']
      const requests = { ...(can.elicitation && NAME), ...(can.sampling && { question: sample('Hello?', 10) }), ...(can.roots && ROOTS) }
      return inputResponses || !Object.keys(requests).length ? { content: [text('nothing more is wanted')] }
        : { resultType: 'input_required', inputRequests: requests }
    },
  },
  test_missing_capability: {
    wants: ({ _meta }) => (_meta['io.modelcontextprotocol/clientCapabilities'].sampling ? { content: [text('it can')] }
      : { error: { code: -32021, message: 'this needs sampling', data: { requiredCapabilities: { sampling: {} } } } }),
  },
}

export const modernPrompt = ({ inputResponses }) => inputResponses?.user_context
  ? { messages: [{ role: 'user', content: text(`In the context of ${inputResponses.user_context.content?.context}`) }] }
  : { resultType: 'input_required', inputRequests: { user_context: elicit('What context should the prompt use?', schema('context')) } }

const DEFAULTS = { type: 'object', properties: {
  name: { type: 'string', default: 'John Doe' }, age: { type: 'integer', default: 30 }, score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' }, verified: { type: 'boolean', default: true } } }
const titled = (names, values = ['value1', 'value2', 'value3']) => values.map((v, i) => ({ const: v, title: names[i] }))
const OPTIONS = ['option1', 'option2', 'option3']
const ENUMS = { type: 'object', properties: {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: titled(['First Option', 'Second Option', 'Third Option']) },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
  titledMulti: { type: 'array', items: { anyOf: titled(['First Choice', 'Second Choice', 'Third Choice']) } } } }

// Of a legacy server, which asks in the middle of the call.
export function legacyTools(ask) {
  const asking = (requestOf, wordsOf, inputSchema) => ({ inputSchema, does: async (args) => {
    const { method, params } = requestOf(args)
    const { result, error } = await ask(method, params)
    if (error) throw new Error(error.message)
    return [text(wordsOf(result))]
  } })
  const completed = ({ action, content }) => `Elicitation completed: action=${action}, content=${JSON.stringify(content)}`
  return {
    test_elicitation: asking(({ message }) => elicit(message, { type: 'object', properties: {
      username: { type: 'string', description: 'User\'s response' }, email: { type: 'string', description: 'User\'s email address' } }, required: ['username', 'email'] }),
      (result) => `User response: ${JSON.stringify(result)}`, schema('message')),
    test_elicitation_sep1034_defaults: asking(() => elicit('Please look these over', DEFAULTS), completed),
    test_elicitation_sep1330_enums: asking(() => elicit('Please choose', ENUMS), completed),
    test_sampling: asking(({ prompt }) => sample(prompt, 100), (result) => `LLM response: ${result.content.text}`, schema('prompt')),
  }
}
