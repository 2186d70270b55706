import type { Frame } from './types'

/** How long a silent link is believed in: the server ticks every 20 seconds. */
const deadAfter = 50_000

/**
 * A socket that comes back: with growing pauses and jitter, at once when the network returns. It says
 * hello by itself; what arrives goes to onFrame.
 */
export class Socket {
  private ws: WebSocket | undefined
  private tries = 0
  private timer = 0
  private heard = 0
  private closed = false

  constructor(private path: string, private hello: () => object, private onFrame: (f: Frame) => void, private onState: (up: boolean) => void) {
    addEventListener('online', () => this.again(0))
    addEventListener('offline', () => this.drop()) // the system knows sooner than a silent link shows
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.check() })
    setInterval(() => this.check(), 5_000)
    this.open()
  }

  get up(): boolean { return this.ws?.readyState === WebSocket.OPEN }

  send(frame: object): boolean {
    if (!this.up) return false
    this.ws!.send(JSON.stringify(frame))
    return true
  }

  close(): void { this.closed = true; this.ws?.close(1000) }

  private open(): void {
    if (this.closed) return
    const url = new URL(this.path, location.href)
    url.protocol = url.protocol.replace('http', 'ws')
    const ws = new WebSocket(url, 'chatnow.v1')
    this.ws = ws
    this.heard = Date.now()
    ws.onopen = () => ws.send(JSON.stringify({ type: 'hello', ...this.hello() }))
    ws.onmessage = e => {
      this.heard = Date.now()
      const frame = JSON.parse(String(e.data)) as Frame
      if (frame.type === 'tick') return
      if (frame.type === 'welcome') { this.tries = 0; this.onState(true) }
      if (frame.type === 'bye' && frame['reason'] === 'expired') this.closed = true
      this.onFrame(frame)
    }
    ws.onclose = () => {
      if (this.ws !== ws) return
      this.onState(false)
      this.again(Math.min(5_000, 300 * 2 ** this.tries++) * (0.5 + Math.random() / 2))
    }
  }

  private again(pause: number): void {
    if (this.closed || this.up) return
    clearTimeout(this.timer)
    this.timer = window.setTimeout(() => { if (this.ws?.readyState !== WebSocket.CONNECTING) this.open() }, pause)
  }

  private check(): void {
    if (this.up && Date.now() - this.heard > deadAfter) {
      this.drop()
      this.open()
    }
  }

  /** Gives the link up without waiting for its end. */
  private drop(): void {
    const old = this.ws
    if (!old) return
    this.ws = undefined
    old.close()
    this.onState(false)
    this.again(1000)
  }
}
