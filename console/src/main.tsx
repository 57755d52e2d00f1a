import { render } from 'preact'
import { App } from './app'
import { asFault } from './api'
import { byLink, load, takeLink, why } from './session'

const link = takeLink() // before anything else sees the address

async function start() {
  if (link) await byLink(link).catch((e) => (why.value = asFault(e)))
  const refused = why.value
  await load()
  if (refused) why.value = refused // the link was no good; whoever is signed in stays so
}

render(<App />, document.getElementById('app')!)
start()
