// Server-sent events as they come over the wire: blocks, with what each line says.
export const parseBlock = (text) => {
  const block = { comments: 0 }
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon === 0) block.comments++
    else if (colon > 0) block[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, '')
  }
  return block
}

// The blocks of a fetch's answer, until it ends or is aborted.
export async function* blocks(res) {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of res.body) {
    rest += decoder.decode(chunk, { stream: true })
    for (let at; (at = rest.indexOf('\n\n')) >= 0; rest = rest.slice(at + 2)) yield parseBlock(rest.slice(0, at))
  }
}
