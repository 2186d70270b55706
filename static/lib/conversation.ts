import type { Message, Unsent } from './types'

/** Adds what is above the cursor, in order; what is there already is dropped. */
export function merge(log: Message[], m: Message): Message[] {
  const last = log.length ? log[log.length - 1]!.seq : 0
  return m.seq > last ? [...log, m] : log
}

/**
 * Puts an acknowledged message of one's own into the log. Acknowledgements and messages come in one
 * order, but a repeat may be acknowledged late.
 */
export function settle(log: Message[], m: Message): Message[] {
  if (log.some(o => o.seq === m.seq)) return log
  return [...log, m].sort((a, b) => a.seq - b.seq)
}

/** Where the log is whole up to; a hole means: resume from here. */
export function cursor(log: Message[]): number {
  let n = 0
  for (const m of log) { if (m.seq !== n + 1) break; n = m.seq }
  return n
}

export function without(list: Unsent[], id: string): Unsent[] { return list.filter(u => u.id !== id) }

/** A frame holds 64 KiB, as JSON writes it; a larger one would end the socket, again and again. */
export function tooLong(body: string): boolean { return new TextEncoder().encode(JSON.stringify(body)).length > 60_000 }
