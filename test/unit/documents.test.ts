import { describe, expect, it } from 'vitest'
import { AppError } from '../../main/contract/errors.ts'
import { decodeDocument, maxDocumentBytes } from '../../main/domain/documents.ts'

const bytes = (...parts: (string | number[])[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part)))))
const utf16be = (text: string) => new Uint8Array(Buffer.from(text, 'utf16le').swap16())

function refusal(content: Uint8Array): AppError {
  try {
    decodeDocument('notes.md', content)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('decodeDocument', () => {
  it('reads UTF-8 with and without its mark', () => {
    expect(decodeDocument('a', bytes('Grüße 漢字'))).toBe('Grüße 漢字')
    expect(decodeDocument('a', bytes([0xef, 0xbb, 0xbf], '# Title'))).toBe('# Title')
  })
  it('reads UTF-16 of both orders, with and without its mark', () => {
    expect(decodeDocument('a', new Uint8Array(Buffer.from('\ufeffHello 漢', 'utf16le')))).toBe('Hello 漢')
    expect(decodeDocument('a', utf16be('\ufeffHello 漢'))).toBe('Hello 漢')
    expect(decodeDocument('a', new Uint8Array(Buffer.from('Hello there', 'utf16le')))).toBe('Hello there')
    expect(decodeDocument('a', utf16be('Hello there'))).toBe('Hello there')
  })
  it('refuses empty files, blank files and files of marks only', () => {
    for (const text of ['', ' \n\t ', '---\n...']) {
      expect(refusal(bytes(text))).toMatchObject({ code: 'bad-document' })
      expect(refusal(bytes(text)).message).toContain('empty')
    }
  })
  it('names what a binary file is and says what to do', () => {
    expect(refusal(bytes('%PDF-1.7 ...')).message).toContain('a PDF')
    expect(refusal(bytes([0x50, 0x4b, 3, 4, 20])).message).toContain('Word')
    expect(refusal(bytes([0x89], 'PNG')).message).toContain('picture')
    expect(refusal(bytes('GGUF', [3, 0, 0, 0])).remedy).toContain('Models')
    expect(refusal(bytes([1, 2, 0, 0, 0xff, 0xfe, 7, 0, 0, 0])).message).toContain('not a text file')
    expect(refusal(bytes('text', [0], 'with a NUL')).message).toContain('NUL')
  })
  it('refuses other encodings instead of guessing letters', () => {
    expect(refusal(new Uint8Array(Buffer.from('Grüße', 'latin1')))).toMatchObject({ code: 'bad-document' })
    expect(refusal(bytes([0x93, 0x8c, 0x8b, 0x9e])).remedy).toContain('UTF-8')
  })
  it('refuses a file over the limit', () => {
    expect(refusal(new Uint8Array(maxDocumentBytes + 1).fill(97)).remedy).toContain('Split it')
  })
})
