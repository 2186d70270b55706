import { render } from 'preact'
import { App } from './app'
import { tell } from './host'
import { begin } from './store'

begin()
render(<App />, document.getElementById('app')!)
addEventListener('keydown', e => { if (e.key === 'Escape') tell({ chatnow: 'close' }) })
