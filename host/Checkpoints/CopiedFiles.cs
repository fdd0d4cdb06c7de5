using System.IO.Enumeration;

namespace Merge.Checkpoints;

/// <summary>
/// What a merged folder takes over from its model: configuration, tokenizer and modelling code. Not weights, not their
/// index, not training state, not the README, which speaks of another model.
/// </summary>
internal static class CopiedFiles
{
    private static readonly string[] Tokenizer =
    [
        "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt", "*.model", "*.tiktoken",
        "tekken.json", "normalizer.json", "chat_template*",
    ];

    private static readonly string[] Copied =
    [
        "config.json", "generation_config.json", "*.py", .. Tokenizer,
        "preprocessor_config.json", "processor_config.json", "*_processor_config.json", "*_preprocessor_config.json",
    ];

    private static readonly string[] Weights =
    [
        "*.safetensors", "*.index.json", "*.bin", "*.pt", "*.pth", "*.ckpt", "*.gguf", "*.h5", "*.msgpack", "*.onnx",
    ];

    private static readonly string[] TrainingState =
    [
        "training_args*", "trainer_state*", "optimizer*", "scheduler*", "scaler*", "rng_state*",
        "zero_to_fp32.py",
    ];

    /// <summary>True for a name that belongs to a training run rather than to the model.</summary>
    public static bool IsTrainingState(string name) => Matches(TrainingState, name);

    /// <summary>True for a file name that is copied.</summary>
    public static bool IsCopied(string name) =>
        Matches(Copied, name) && !Matches(Weights, name) && !IsTrainingState(name);

    /// <summary>True for a file of the tokenizer, its chat template included.</summary>
    public static bool IsTokenizer(string name) => Matches(Tokenizer, name) && IsCopied(name);

    /// <summary>The names in a folder that are copied, sorted.</summary>
    public static IReadOnlyList<string> Of(string folder)
    {
        try
        {
            return [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Where(IsCopied)
                .Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            throw FileProblem.Reading(folder, e);
        }
    }

    /// <summary>Copies them, or only some of them; what is a symbolic link arrives as a file. Returns the names.</summary>
    public static IReadOnlyList<string> Copy(string from, string to, Func<string, bool>? only = null)
    {
        IReadOnlyList<string> names = [.. Of(from).Where(only ?? (_ => true))];
        foreach (var name in names)
        {
            var source = Path.Combine(from, name);
            FileStream input;
            try
            {
                input = File.OpenRead(source);
            }
            catch (Exception e) when (FileProblem.Is(e))
            {
                throw FileProblem.Reading(source, e);
            }
            using (input)
            {
                try
                {
                    // Not File.Copy: it would carry over read-only modes, and a second run could not overwrite.
                    using var output = File.Create(Path.Combine(to, name));
                    input.CopyTo(output);
                    DiskSync.Flush(output);
                }
                catch (Exception e) when (FileProblem.Is(e))
                {
                    throw FileProblem.Writing(Path.Combine(to, name), input.Length, e);
                }
            }
        }
        return names;
    }

    private static bool Matches(string[] patterns, string name) =>
        patterns.Any(p => FileSystemName.MatchesSimpleExpression(p, name, ignoreCase: false));
}
