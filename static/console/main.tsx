import { render } from 'preact'
import { App } from './app'
import { watchIdling } from './idle'
import { keys } from './keys'
import { begin } from './store'

begin()
watchIdling()
addEventListener('keydown', keys)
render(<App />, document.getElementById('app')!)
