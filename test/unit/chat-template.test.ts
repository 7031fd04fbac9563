import { describe, expect, it } from 'vitest'
import { type ChatFormat, type ChatTurn, createChatTemplate } from '../../main/domain/chat-template.ts'

const qwen =
  "{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}{%- else %}{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{%- endif %}{%- for message in messages %}{%- if (message.role == 'user') or (message.role == 'system' and not loop.first) or (message.role == 'assistant') %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{%- endif %}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
const llama3 =
  "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
const zephyr =
  "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
const mistral =
  "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"

const formats: Record<string, ChatFormat> = {
  qwen: { template: qwen, bosText: '', eosText: '<|im_end|>', addBos: false },
  llama3: { template: llama3, bosText: '<|begin_of_text|>', eosText: '<|eot_id|>', addBos: true },
  zephyr: { template: zephyr, bosText: '<s>', eosText: '</s>', addBos: true },
  mistral: { template: mistral, bosText: '<s>', eosText: '</s>', addBos: true },
  none: { template: null, bosText: '<s>', eosText: '</s>', addBos: true },
}
const turns: ChatTurn[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'One?' },
  { role: 'assistant', content: 'First answer.' },
  { role: 'user', content: 'Two?' },
  { role: 'assistant', content: 'Second answer.' },
]

describe('renderPrompt', () => {
  it('follows ChatML as Qwen writes it', () => {
    expect(createChatTemplate(formats.qwen!).renderPrompt(turns.slice(0, 2))).toBe(
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\n',
    )
  })
  it('follows Llama 3 and writes the begin token once', () => {
    expect(createChatTemplate(formats.llama3!).renderPrompt(turns.slice(1, 2))).toBe(
      '<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nOne?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    )
  })
  it('puts the begin token in front where the template forgets it', () => {
    expect(createChatTemplate(formats.zephyr!).renderPrompt(turns.slice(1, 2))).toMatch(/^<s><\|user\|>\nOne\?<\/s>/)
  })
  it('lets the system text lead the first question where a template refuses system turns', () => {
    expect(createChatTemplate(formats.mistral!).renderPrompt(turns.slice(0, 2))).toBe(
      '<s>[INST] Be brief.\n\nOne? [/INST]',
    )
  })
  it('falls back to ChatML, flagged and with its own stop texts, where a GGUF has no template', () => {
    const template = createChatTemplate(formats.none!)
    expect(template.isFallback).toBe(true)
    expect(template.stops).toContain('<|im_end|>')
    expect(template.renderPrompt(turns.slice(1, 2))).toBe(
      '<s><|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\n',
    )
  })
  it('asks a model that can think for its thoughts only where they are wanted', () => {
    const qwen3 = `${qwen}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}`
    const template = createChatTemplate({ ...formats.qwen!, template: qwen3 })
    expect(template.thinking).toEqual({ opening: '<think>', closing: '</think>' })
    expect(template.renderPrompt(turns.slice(0, 2))).toMatch(/<think>\n\n<\/think>\n\n$/)
    expect(template.renderPrompt(turns.slice(0, 2), { thinks: true })).toMatch(/assistant\n$/)
    expect(createChatTemplate(formats.qwen!).thinking).toBeNull()
  })
  it('names the trouble with a template that cannot be read', () => {
    expect(() => createChatTemplate({ ...formats.qwen!, template: '{% for %}' })).toThrow(/chat template/)
  })
  it('refuses roles a template cannot order, as an AppError', () => {
    const template = createChatTemplate(formats.mistral!)
    expect(() => template.renderPrompt([turns[1]!, turns[3]!])).toThrow(/does not accept this conversation/)
  })
})

describe('renderSegments', () => {
  const endTokens: Record<string, string> = {
    qwen: '<|im_end|>',
    llama3: '<|eot_id|>',
    zephyr: '</s>',
    mistral: '</s>',
    none: '<|im_end|>',
  }

  it.each(Object.keys(formats))('%s: the assistant segments are its answers with their end-of-turn tokens', (name) => {
    const segments = createChatTemplate(formats[name]!).renderSegments(turns)
    const said = segments.filter((segment) => segment.role === 'assistant').map((segment) => segment.text.trim())
    expect(said).toEqual([`First answer.${endTokens[name]}`, `Second answer.${endTokens[name]}`])
  })
  it.each(Object.keys(formats))(
    '%s: joined segments are the whole conversation and user segments its questions',
    (name) => {
      const template = createChatTemplate(formats[name]!)
      const segments = template.renderSegments(turns)
      const whole = segments.map((segment) => segment.text).join('')
      for (const { content } of turns) expect(whole).toContain(content)
      expect(segments.filter((segment) => segment.role === 'user').map((segment) => segment.text)).toEqual([
        'One?',
        'Two?',
      ])
    },
  )
  it.each(Object.keys(formats))(
    '%s: what comes before the last answer is exactly the prompt the model is asked with',
    (name) => {
      const template = createChatTemplate(formats[name]!)
      const segments = template.renderSegments(turns.slice(0, 3))
      const answer = segments.findIndex((segment) => segment.role === 'assistant')
      const before = segments.slice(0, answer).map((segment) => segment.text)
      expect(before.join('')).toBe(template.renderPrompt(turns.slice(0, 2)))
    },
  )
  it('counts an empty answer as its end-of-turn token alone', () => {
    const segments = createChatTemplate(formats.qwen!).renderSegments([turns[1]!, { role: 'assistant', content: '' }])
    expect(segments.filter((segment) => segment.role === 'assistant')).toEqual([
      { role: 'assistant', text: '<|im_end|>' },
    ])
  })
  it('is not misled by a question that quotes the answer', () => {
    const segments = createChatTemplate(formats.qwen!).renderSegments([
      { role: 'user', content: 'Say "Second answer." please' },
      { role: 'assistant', content: 'Second answer.' },
    ])
    expect(segments.filter((segment) => segment.role === 'assistant')).toEqual([
      { role: 'assistant', text: 'Second answer.<|im_end|>' },
    ])
  })
})
