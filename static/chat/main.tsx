import { render } from 'preact'
import { App } from './app'
import { begin, embedded } from './store'

begin()
render(<App />, document.getElementById('app')!)
addEventListener('keydown', e => { if (e.key === 'Escape' && embedded) parent.postMessage({ chatnow: 'close' }, '*') })
