import { call } from '../lib/api'

const every = 15_000

/** Says that a ticket has changed since the page came. What is being written stays; nothing jumps. */
export function watchTicket(): void {
  const page = document.querySelector<HTMLElement>('[data-ticket]')
  const notice = page?.querySelector<HTMLElement>('.fresh')
  if (!page || !notice) return
  const look = async () => {
    if (document.hidden) return
    try {
      const { ticket } = await call<{ ticket: { version: number } }>(`/tickets/${page.dataset['ticket']}`)
      notice.hidden = ticket.version <= Number(page.dataset['version'])
    } catch { /* the next look tries again */ }
  }
  setInterval(() => void look(), every)
  document.addEventListener('visibilitychange', () => void look())
}
