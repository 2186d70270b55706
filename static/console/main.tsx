import { render } from 'preact'
import { App } from './app'
import { watchIdling } from './idle'
import { keys } from './keys'
import { watchAddress } from './address'
import { begin, watchView } from './store'

begin()
watchAddress()
watchIdling()
watchView()
addEventListener('keydown', keys)
render(<App />, document.getElementById('app')!)
