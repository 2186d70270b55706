import { render } from 'preact'
import { App } from './app'
import { watchDrafts } from './drafts'
import { watchIdling } from './idle'
import { keys } from './keys'
import { watchAddress } from './address'
import { begin, watchView } from './store'

begin()
watchAddress()
watchIdling()
watchView()
watchDrafts()
addEventListener('keydown', keys)
render(<App />, document.getElementById('app')!)
