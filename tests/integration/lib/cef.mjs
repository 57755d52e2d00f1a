// A line of ArcSight's CEF, read as its guide says: the header's pipes and the extension's equal signs are those without a
// backslash before them; a value ends where a space and the next key follow.
export function readCef(line) {
  const head = /^CEF:0\|((?:[^|\\]|\\[|\\])*)\|((?:[^|\\]|\\[|\\])*)\|((?:[^|\\]|\\[|\\])*)\|((?:[^|\\]|\\[|\\])*)\|((?:[^|\\]|\\[|\\])*)\|(\d+)\|/.exec(line)
  if (!head || /[\r\n]/.test(line)) throw new Error(`no CEF: ${line}`)
  const bare = (s) => s.replace(/\\([|\\])/g, '$1')
  const [vendor, product, version, signature, name] = head.slice(1, 6).map(bare)
  const extension = {}
  let rest = line.slice(head[0].length)
  while (rest) {
    const pair = /^([A-Za-z0-9]+)=((?:[^=\\]|\\[=\\nr])*)(?= [A-Za-z0-9]+=|$)/.exec(rest)
    if (!pair) throw new Error(`no extension: ${rest}`)
    if (pair[1] in extension) throw new Error(`twice: ${pair[1]}`)
    extension[pair[1]] = pair[2].replace(/\\([=\\nr])/g, (_, c) => ({ n: '\n', r: '\r' })[c] ?? c)
    rest = rest.slice(pair[0].length).replace(/^ /, '')
  }
  return { vendor, product, version, signature, name, severity: Number(head[6]), extension }
}
