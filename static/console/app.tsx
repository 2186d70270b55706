import { Board } from './board'
import { Dialogs } from './dialogs'
import { ConvertDrawer } from './convert'
import { Lists } from './lists'
import { Macros } from './macros/editor'
import { manager } from './macros/picker'
import { open as palette, Palette } from './palette/palette'
import { Reports } from './reports/reports'
import { Settings } from './settings/settings'
import { Side } from './side'
import { about, connected, drawer, me, mine, mute, open, presence, queue, screen, sound, ticket, toast, unread } from './store'
import { Still } from './still'
import { Talk } from './talk'
import { Tickets } from './tickets'
import { useEffect } from 'preact/hooks'

export function App() {
  const waiting = queue.value.length
  const news = waiting + mine.value.reduce((n, c) => n + unread(c), 0)
  useEffect(() => { document.title = `${news ? `(${news}) ` : ''}Chatnow console` }, [news])
  return (
    <div class="desk">
      <header class="bar">
        <strong>Chatnow</strong>
        <nav aria-label="Main">
          <button class="button" data-kind="plain" aria-current={screen.value === 'chats' ? 'page' : undefined} onClick={() => { screen.value = 'chats' }}>Chats {mine.value.length + waiting > 0 && <span class="count">{mine.value.length + waiting}</span>} <kbd>1</kbd></button>
          <button class="button" data-kind="plain" aria-current={screen.value === 'tickets' ? 'page' : undefined} onClick={() => { ticket.value = null; screen.value = 'tickets' }}>Tickets <kbd>2</kbd></button>
          {manager() && <button class="button" data-kind="plain" aria-current={screen.value === 'board' ? 'page' : undefined} onClick={() => { screen.value = 'board' }}>Board <kbd>4</kbd></button>}
          {manager() && <button class="button" data-kind="plain" aria-current={screen.value === 'reports' ? 'page' : undefined} onClick={() => { screen.value = 'reports' }}>Reports <kbd>5</kbd></button>}
          {me.value?.role === 'admin' && <button class="button" data-kind="plain" aria-current={screen.value === 'settings' ? 'page' : undefined} onClick={() => { screen.value = 'settings' }}>Settings <kbd>3</kbd></button>}
        </nav>
        <div class="bar__end"><button class="button" data-kind="plain" onClick={() => { palette.value = true }}>Find <kbd>Ctrl K</kbd></button><Presence />
          <button class="button" data-kind="plain" aria-pressed={sound.value} onClick={mute}>Sound {sound.value ? 'on' : 'off'}</button>
          <form method="post" action="/account/signout"><button class="button" data-kind="plain">Sign out</button></form></div>
      </header>
      <div>{me.value && !connected.value && <p class="strip" role="status">Reconnecting… What you write is kept here and sent once.</p>}</div>
      {!me.value ? <p class="empty" role="status">Connecting…</p> : screen.value === 'tickets' ? <Tickets /> : screen.value === 'settings' ? <Settings /> : screen.value === 'macros' ? <Macros /> : screen.value === 'board' ? <Board /> : screen.value === 'reports' ? <Reports /> : (
        <main class="panes" data-drawer={String(drawer.value && open.value !== null)} data-open={String(open.value !== null)} data-about={String(about.value)}>
          <Lists /><Talk />{drawer.value && open.value ? <ConvertDrawer key={open.value} /> : <Side />}
        </main>
      )}
      <Dialogs />
      <Palette />
      <Still />
      {toast.value && <p class="toast" role="alert">{toast.value}</p>}
    </div>
  )
}

function Presence() {
  const m = me.value
  if (!m) return null
  return (
    <>
      <span class="dot" data-is={m.state} aria-hidden="true" />
      <label class="unseen" for="presence">Presence</label>
      <select id="presence" value={m.state} onChange={e => { presence(e.currentTarget.value); e.currentTarget.blur() }}><option value="online">Online</option><option value="away">Away</option><option value="offline">Offline</option></select>
      <span>{mine.value.length} of</span><label class="unseen" for="capacity">Chats at once</label>
      <select id="capacity" value={m.capacity} onChange={e => presence(m.state, Number(e.currentTarget.value))}>{[...new Set([1, 2, 3, 4, 5, 6, 8, 10, m.capacity])].sort((a, b) => a - b).map(n => <option value={n}>{n}</option>)}</select>
    </>
  )
}
