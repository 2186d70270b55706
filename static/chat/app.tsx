import { Conversation } from './conversation'
import { Start } from './start'
import { embedded, tell } from './host'
import { chat, connected, form, log, mute, sound } from './store'
import { TicketForm } from './ticket-form'
import { initials } from '../lib/links'

function heading(): [string, string] {
  const c = chat.value
  if (form.value) return ['Write a ticket', 'Day and night; what you typed is in it']
  if (!c) return log.value.length || !connected.value ? ['Your chat', 'Connecting…'] : ['Chat now', 'With a Customer Champion']
  if (c.state === 'queued') return ['You are in the queue', c.product]
  if (c.state === 'active') return [c.champion?.name ?? 'Customer Champion', 'Customer Champion']
  return [c.state === 'missed' ? 'Nobody could take your chat' : 'Chat ended', c.champion ? `With ${c.champion.name}` : '']
}

export function App() {
  const [title, sub] = heading()
  const c = chat.value
  return (
    <main class="panel">
      <header class="panel__head">
        {c?.champion && <span class="avatar" aria-hidden="true">{initials(c.champion.name)}</span>}
        <div><h1>{title}</h1><p>{sub}</p></div>
        <div class="panel__tools">
          {c && <button class="button" data-kind="plain" type="button" aria-pressed={sound.value} onClick={mute}>Sound {sound.value ? 'on' : 'off'}</button>}
          {embedded ? <button class="button" data-kind="plain" type="button" onClick={() => tell({ chatnow: 'close' })}>Fold away</button> : <a class="button" data-kind="plain" href="/">Help page</a>}
        </div>
      </header>
      <div>
        {c && !connected.value && <p class="strip" role="status">Reconnecting… What you write is kept here and sent once.</p>}
        {c?.state === 'queued' && !form.value && <Place />}
      </div>
      {form.value ? <TicketForm /> : c ? <Conversation /> : <Start />}
    </main>
  )
}

function Place() {
  const c = chat.value!
  const minutes = Math.max(1, Math.round((c.wait_seconds ?? 60) / 60))
  return (
    <div class="place" role="status">
      <strong>{c.position === 1 ? 'You are next' : c.position ? `Number ${c.position} in line` : 'You are in line'}, about {minutes} {minutes === 1 ? 'minute' : 'minutes'}</strong>
      <span>{c.reason === 'vanished' ? 'Your champion lost the connection; somebody else takes over. ' : ''}You keep your place if you reload or close the lid.</span>
    </div>
  )
}
