import { effect } from '@preact/signals'
import { open, screen, show, ticket } from './store'

/** The place in the console as an address: #chats/<id>, #tickets/1042, #settings. Back and reload know it. */
function address(): string {
  const what = screen.value === 'tickets' ? ticket.value : screen.value === 'chats' ? open.value : null
  return `#${screen.value}${what ? `/${what}` : ''}`
}

function go(): void {
  const [place, what] = location.hash.slice(1).split('/')
  if (place === 'tickets') { ticket.value = Number(what) || null; screen.value = 'tickets' }
  else if (place === 'settings' || place === 'macros' || place === 'board' || place === 'reports') screen.value = place
  else if (place === 'chats') { screen.value = 'chats'; show(what || null) }
}

export function watchAddress(): void {
  if (location.hash) go()
  let first = true
  effect(() => {
    const now = address()
    if (now === location.hash || (first && !location.hash && now === '#chats')) { first = false; return }
    history[first ? 'replaceState' : 'pushState'](null, '', `${location.pathname}${now}`)
    first = false
  })
  addEventListener('popstate', go)
}
