import { span } from '../lib/time'
import type { Chat } from '../lib/types'
import { accept, clockTick, ended, me, mine, open, queue, show, unanswered, unread } from './store'

export function Lists() {
  return (
    <nav class="pane lists" aria-label="Chats">
      <h2><span>Waiting {queue.value.length || ''}</span>{queue.value.length > 0 && <span><kbd>A</kbd> takes the first</span>}</h2>
      {queue.value.length === 0 && <p class="empty">Nobody waits.</p>}
      <ul>{queue.value.map(c => <li class="waits" key={c.id}><Row c={c} since={Date.parse(c.waiting_since)} lateAfter={120_000} offer={c.offered_to === me.value?.id} />
        <button class="button" data-kind={c.offered_to === me.value?.id ? 'main' : undefined} onClick={() => accept(c.id)}>Take<span class="unseen">&nbsp;{c.customer.name}</span></button></li>)}</ul>
      <h2><span>Mine, oldest unanswered first {mine.value.length || ''}</span>{mine.value.length > 1 && <span><kbd>J</kbd> next</span>}</h2>
      <ul>{mine.value.map(c => <li key={c.id}><Row c={c} since={unanswered(c)} lateAfter={90_000} /></li>)}</ul>
      {ended.value.length > 0 && <h2><span>Ended</span><span>{ended.value.length}</span></h2>}
      <ul>{ended.value.map(c => <li key={c.id}><Row c={c} since={null} lateAfter={0} /></li>)}</ul>
    </nav>
  )
}

function Row({ c, since, lateAfter, offer }: { c: Chat; since: number | null; lateAfter: number; offer?: boolean }) {
  const waited = since === null ? null : clockTick.value - since
  const news = c.state === 'active' ? unread(c) : 0
  const late = waited !== null && waited > lateAfter
  return (
    <button class="row" aria-current={open.value === c.id} data-offer={String(!!offer)} data-unread={String(news > 0)} onClick={() => show(c.id)}>
      <span class="row__time" data-late={String(late)}>{waited === null ? '–' : `${late ? '! ' : ''}${span(waited)}`}</span>
      <span class="row__name">{c.customer.name}{c.state !== 'ended' && !c.customer.online ? ' (away)' : ''}</span>
      {news > 0 ? <span class="count">{news}</span> : <span />}
      <span class="row__last">{offer ? 'Offered to you: ' : ''}{c.ticket && c.state === 'ended' ? `Became ticket ${c.ticket}` : lastWords(c)}</span>
    </button>
  )
}

/** What was said last; of a file its name. */
function lastWords(c: Chat): string { return c.preview?.split(/\s\/api(\/|…|$)/)[0] || c.question }
