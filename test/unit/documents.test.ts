import { describe, expect, it } from 'vitest'
import { AppError } from '../../main/contract/errors.ts'
import { documentTypeOf, maxMarkdownBytes } from '../../main/domain/document-types.ts'
import { decodeDocument, decodeText } from '../../main/domain/documents.ts'

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
  it('refuses binary files and NUL characters', () => {
    expect(refusal(bytes([1, 2, 0, 0, 0xff, 0xfe, 7, 0, 0, 0])).message).toContain('not a text file')
    expect(refusal(bytes('text', [0], 'with a NUL')).message).toContain('NUL')
  })
  it('reads Japanese in Shift_JIS, EUC-JP and ISO-2022-JP by its kana, and says that it guessed', () => {
    // "これは日本語の文章です。" in each.
    const written = {
      Shift_JIS: '82b182ea82cd93fa967b8cea82cc95b68fcd82c582b78142',
      'EUC-JP': 'a4b3a4eca4cfc6fccbdcb8eca4cecab8becfa4c7a4b9a1a3',
      'ISO-2022-JP': '1b24422433246c244f467c4b5c386c244e4a383e4f2447243921231b2842',
    }
    for (const [guessed, hex] of Object.entries(written)) {
      expect(decodeText('a.txt', new Uint8Array(Buffer.from(hex, 'hex')))).toEqual({
        text: 'これは日本語の文章です。',
        guessed,
      })
    }
  })
  it('reads Western European text by its lone accented letters, and no other 8-bit encoding', () => {
    const german = 'Die Größe der Vögel ist verschieden. Sie können über weite Strecken fliegen.'
    expect(decodeText('a.txt', new Uint8Array(Buffer.from(german, 'latin1')))).toEqual({
      text: german,
      guessed: 'Latin-1 (Windows-1252)',
    })
    const russian = [0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 0x20, 0xec, 0xe8, 0xf0, 0x2e]
    const chinese = [0xd6, 0xd0, 0xb9, 0xfa, 0xca, 0xc7, 0xd2, 0xbb, 0xb8, 0xf6, 0xb9, 0xfa, 0xbc, 0xd2]
    for (const foreign of [russian, chinese]) {
      expect(refusal(bytes(foreign)).message).toContain('cannot be read with certainty')
      expect(refusal(bytes(foreign)).remedy).toContain('UTF-8')
    }
  })
  it('takes the encoding a file says it has, where it fits', () => {
    const russian = new Uint8Array([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2])
    expect(decodeText('a.html', russian, 'windows-1251')).toEqual({ text: 'Привет', guessed: null })
    expect(() => decodeText('a.html', russian, 'no-such-encoding')).toThrow(/certainty/)
  })
  it('refuses text over the limit', () => {
    expect(refusal(new Uint8Array(maxMarkdownBytes + 1).fill(97)).remedy).toContain('Split it')
  })
})

describe('documentTypeOf', () => {
  const typeOf = (name: string, ...parts: (string | number[])[]) => documentTypeOf(name, bytes(...parts))
  it('goes by the first bytes, then by the name', () => {
    expect(typeOf('a.pdf', '%PDF-1.7')).toBe('pdf')
    expect(typeOf('report', 'PK', [3, 4])).toBe('docx')
    expect(typeOf('a.MD', '# A')).toBe('markdown')
    expect(typeOf('a.tsv', 'x')).toBe('csv')
    expect(typeOf('page', '\n<!DOCTYPE html><p>')).toBe('html')
    expect(typeOf('README', 'words')).toBe('text')
  })
  it.each([
    ['notes.pdf', ['just words'], /is not a PDF, whatever its name says/, /ending/],
    ['notes.docx', [''], /is empty/, /Choose/],
    ['notes.txt', ['%PDF-1.4'], /is a PDF, not text/, /ending \.pdf/],
    ['a.doc', [[0xd0, 0xcf, 0x11, 0xe0]], /old Word/, /\.docx/],
    [
      'a.docx',
      [[0xd0, 0xcf, 0x11, 0xe0], Buffer.from('EncryptedPackage', 'utf16le').toString('latin1')],
      /password/,
      /without one/,
    ],
    ['a.md', [[0x89], 'PNG'], /picture/, /text in it/],
    ['a.gguf', ['GGUF', [3, 0, 0, 0]], /GGUF/, /Models/],
  ] as const)('refuses %s with the reason and what to do', (...[name, parts, message, remedy]) => {
    const given = parts.map((part) => (typeof part === 'string' ? part : [...part]))
    expect(() => typeOf(name, ...given)).toThrow(message)
    try {
      typeOf(name, ...given)
    } catch (thrown) {
      expect((thrown as AppError).remedy).toMatch(remedy)
    }
  })
})
