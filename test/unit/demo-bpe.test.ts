import { describe, expect, it } from 'vitest'
import { BpeEncoder, trainBpe } from '../../main/domain/bpe.ts'

const specials = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
const vocabulary = trainBpe(['low lower lowest 12', 'low newer newest', 'the low tower'], { size: 290, specials })
const encoder = new BpeEncoder(vocabulary)

describe('byte-level BPE', () => {
  it.each(['low lower 47', 'ä 字 🙂\n\n x', '<|im_start|>user\nlow<|im_end|>', '', '  two  spaces\r\n'])(
    'decodes what it encodes: %j',
    (text) => {
      expect(encoder.decode(encoder.encode(text))).toBe(text)
    },
  )
  it('learns frequent words whole, keeps digits apart and specials unsplit', () => {
    expect(encoder.encode(' low')).toHaveLength(1)
    expect(encoder.encode('12')).toHaveLength(2)
    expect(encoder.encode('<|im_end|>')).toEqual([2])
  })
  it('is the same vocabulary for the same texts', () => {
    expect(trainBpe(['a b a b', 'ab ab'], { size: 270, specials: [] })).toEqual(
      trainBpe(['a b a b', 'ab ab'], { size: 270, specials: [] }),
    )
  })
})
