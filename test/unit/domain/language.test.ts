import { describe, expect, it } from 'vitest'
import { foreignLanguage } from '../../../main/domain/language.ts'

describe('the language of a text', () => {
  it.each([
    ['en', 'The wren is a small brown bird that sings at dawn.'],
    ['de', 'Der Zaunkönig ist ein kleiner brauner Vogel, der am Morgen singt.'],
    ['ja', 'ミソサザイは小さな茶色の鳥で、夜明けに鳴きます。'],
    ['ja', '東京タワーの高さは333メートルです。'],
    ['pt-BR', 'O pássaro canta ao amanhecer e come pequenos insetos no jardim.'],
  ])('fits %s: %s', async (language, text) => {
    expect(await foreignLanguage(text, language)).toBeNull()
  })
  it.each([
    ['en', 'de', 'Der Zaunkönig ist ein kleiner brauner Vogel, der am Morgen singt.'],
    ['en', 'ja', 'ミソサザイは小さな茶色の鳥です。'],
    ['ja', 'en', 'The wren is a small brown bird that sings at dawn.'],
    ['de', 'fr', 'Le troglodyte est un petit oiseau brun qui chante le matin dans la haie.'],
  ])('is not %s but %s: %s', async (wanted, found, text) => {
    expect(await foreignLanguage(text, wanted)).toBe(found)
  })
  it.each([
    '',
    '42',
    '12 + 5 = 17',
    'Paris',
    'def f(x): return x + 1',
    '```\nfür alle Zeilen der Datei wiederhole dies\n```',
  ])('says nothing of %j', async (text) => {
    expect(await foreignLanguage(text, 'en')).toBeNull()
  })
  it('lets a Japanese answer name things in Latin letters', async () => {
    expect(await foreignLanguage('GitHub Desktop は GUI です。', 'ja')).toBeNull()
  })
})
