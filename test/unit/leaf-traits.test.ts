import { describe, expect, it } from 'vitest'
import { inferLanguage, inferPersona } from '../../main/domain/leaf-traits.ts'

describe('inferPersona', () => {
  it.each([
    ['compositional_skills/writing/poetry/haiku', 'Write a haiku.', 'creative'],
    ['compositional_skills/roleplay/pirate', 'Role play as a pirate and tell stories.', 'creative'],
    ['foundational_skills/reasoning/mathematical_reasoning', 'Mathematical operations.', 'precise'],
    ['compositional_skills/extraction/invoice', 'Extract the numbers into JSON.', 'precise'],
    ['compositional_skills/misc/thing', 'Do it.', 'precise'],
  ])('%s is %s', (path, task, persona) => {
    expect(inferPersona(path, task)).toBe(persona)
  })
})

describe('inferLanguage', () => {
  it.each([
    ['What is the capital of France?', 'en'],
    ['Was ist die Hauptstadt und wie groß ist sie nicht?', 'de'],
    ['Quelle est la capitale des Pays-Bas, et que dire pour les gens qui y vivent dans une ville?', 'fr'],
    ['¿Cuál es la capital de los países que están con una costa para el mar?', 'es'],
    ['日本の首都はどこですか。', 'ja'],
    ['中国的首都是哪里？', 'zh'],
    ['대한민국의 수도는 어디입니까?', 'ko'],
    ['Какая столица России?', 'ru'],
    ['', 'en'],
    ['12 + 30 = 42', 'en'],
  ])('%s is %s', (text, language) => {
    expect(inferLanguage(text)).toBe(language)
  })
})
