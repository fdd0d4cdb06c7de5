namespace Merge.Vocabulary;

/// <summary>Templates that a recipe may name.</summary>
internal static class KnownTemplates
{
    private static readonly Dictionary<string, string> Texts = new(StringComparer.Ordinal)
    {
        ["alpaca"] = """
            {%- for message in messages -%}
            {%- if message['role'] == 'system' -%}{{ message['content'] | trim + '\n\n' }}
            {%- elif message['role'] == 'user' -%}{{ '### Instruction:\n' + message['content'] | trim + '\n\n' }}
            {%- elif message['role'] == 'user_context' -%}{{ '### Input:\n' + message['content'] | trim + '\n\n' }}
            {%- elif message['role'] == 'assistant' -%}{{ '### Response:\n' + message['content'] | trim + '\n\n' }}
            {%- endif -%}
            {%- endfor -%}
            {%- if add_generation_prompt -%}{{ '### Response:\n' }}{%- endif -%}
            """,
        ["chatml"] = """
            {%- for message in messages -%}
            {{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}
            {%- endfor -%}
            {%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}
            """,
        ["exaone"] = """
            {%- for message in messages -%}
            {%- if loop.first and message['role'] != 'system' -%}{{ '[|system|][|endofturn|]\n' }}{%- endif -%}
            {{ '[|' + message['role'] + '|]' + message['content'] + ('\n' if message['role'] == 'user' else '[|endofturn|]\n') }}
            {%- endfor -%}
            {%- if add_generation_prompt -%}{{ '[|assistant|]' }}{%- endif -%}
            """,
        ["llama3"] = """
            {{- bos_token -}}
            {%- for message in messages -%}
            {{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}
            {%- endfor -%}
            {%- if add_generation_prompt -%}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif -%}
            """,
        ["mistral"] = """
            {{- bos_token -}}
            {%- set system = namespace(text='') -%}
            {%- for message in messages -%}
            {%- if message['role'] == 'system' -%}{%- set system.text = message['content'] + '\n\n' -%}
            {%- elif message['role'] == 'user' -%}
            {{ ' [INST] ' + system.text + message['content'] + ' [/INST]' }}{%- set system.text = '' -%}
            {%- elif message['role'] == 'assistant' -%}{{ ' ' + message['content'] + eos_token }}
            {%- endif -%}
            {%- endfor -%}
            """,
    };

    public static IReadOnlyCollection<string> Names => Texts.Keys;

    public static string? Find(string name) => Texts.GetValueOrDefault(name);
}
