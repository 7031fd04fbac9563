// Encoding and decoding of the trainer's frames: u32 LE JSON length | u32 LE payload length | JSON | payload. Pure.

import type { TrainerErrorFrame, TrainerRequest } from './trainer-protocol.ts'

/** A reply as it came over the pipe: `ok` or `error`. */
export interface Frame {
  head: { id: number; ok?: unknown; error?: TrainerErrorFrame }
  payload: Buffer
}

/** The bytes of one request; typed arrays are written as they lie in memory. */
export function encodeFrame(request: TrainerRequest & { id: number }, payload: (Int32Array | Float32Array)[]): Buffer {
  const text = Buffer.from(JSON.stringify(request))
  const start = Buffer.alloc(8)
  start.writeUInt32LE(text.length, 0)
  start.writeUInt32LE(
    payload.reduce((sum, piece) => sum + piece.byteLength, 0),
    4,
  )
  // Copied, because the caller may fill its arrays anew before the pipe has taken them.
  const bytes = payload.map((piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))
  return Buffer.concat([start, text, ...bytes])
}

/** Gathers bytes into frames. */
export class FrameReader {
  private held: Buffer[] = []
  private heldBytes = 0

  /** The frames completed by these bytes. */
  push(bytes: Buffer): Frame[] {
    this.held.push(bytes)
    this.heldBytes += bytes.length
    const frames: Frame[] = []
    for (let frame = this.take(); frame; frame = this.take()) frames.push(frame)
    return frames
  }

  private take(): Frame | undefined {
    if (this.heldBytes < 8) return undefined
    const first = this.held[0]
    if (first && first.length < 8) this.join()
    const lengths = this.held[0]
    if (!lengths) return undefined
    const jsonBytes = lengths.readUInt32LE(0)
    const wanted = 8 + jsonBytes + lengths.readUInt32LE(4)
    if (this.heldBytes < wanted) return undefined
    const all = this.join()
    this.held = wanted < all.length ? [all.subarray(wanted)] : []
    this.heldBytes = all.length - wanted
    const head = JSON.parse(all.toString('utf8', 8, 8 + jsonBytes)) as Frame['head']
    return { head, payload: all.subarray(8 + jsonBytes, wanted) }
  }

  private join(): Buffer {
    const all = this.held.length === 1 && this.held[0] ? this.held[0] : Buffer.concat(this.held)
    this.held = [all]
    return all
  }
}
