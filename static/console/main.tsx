import { render } from 'preact'
import { App } from './app'
import { keys } from './keys'
import { begin } from './store'

begin()
addEventListener('keydown', keys)
render(<App />, document.getElementById('app')!)
