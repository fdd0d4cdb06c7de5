using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Vocabulary;

/// <summary>What of a tokenizer a merge needs: which token has which row.</summary>
/// <param name="Folder">Where its files are.</param>
/// <param name="Path">The file that holds its vocabulary.</param>
/// <param name="Ids">Every token, added ones included.</param>
/// <param name="Added">The added tokens by content.</param>
/// <param name="IsList">Whether the model's vocabulary is a list (Unigram), where a token's place is its id.</param>
internal sealed record Tokenizer(
    string Folder,
    string Path,
    IReadOnlyDictionary<string, int> Ids,
    IReadOnlyDictionary<string, AddedToken> Added,
    bool IsList)
{
    public const string FileName = "tokenizer.json";
    public const string ConfigName = "tokenizer_config.json";
    public const string AddedName = "added_tokens.json";

    // What other libraries keep a vocabulary in, and this one does not read.
    private static readonly string[] Foreign =
        ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "spm.model", "tekken.json", "*.tiktoken"];

    /// <summary>Whether it is a <c>tokenizer.json</c>, which tokens can be added to.</summary>
    public bool IsFast => System.IO.Path.GetFileName(Path) == FileName;

    /// <summary>Reads the tokenizer of a model's folder; null where the folder has none.</summary>
    /// <exception cref="MergeException">It is malformed, or of a kind that is not read.</exception>
    public static Tokenizer? Open(string folder)
    {
        var file = new[] { FileName, "vocab.json", "vocab.txt" }
            .Select(name => System.IO.Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (file is null)
        {
            var foreign = Foreign.SelectMany(pattern => Directory.GetFiles(folder, pattern))
                .Order(StringComparer.Ordinal).FirstOrDefault();
            return foreign is null ? null : throw Unread(foreign);
        }
        var vocabulary = new VocabularyReader(file);
        vocabulary.Read();
        vocabulary.AddFrom(System.IO.Path.Combine(folder, ConfigName), System.IO.Path.Combine(folder, AddedName));
        return new Tokenizer(folder, file, vocabulary.Ids, vocabulary.Added, vocabulary.IsList);
    }

    private static MergeException Unread(string path) => new(new Diagnostic(
        $"the model's only vocabulary is '{System.IO.Path.GetFileName(path)}', which is not read")
    {
        Where = path,
        Expected = "tokenizer.json, vocab.json or vocab.txt beside the weights",
        Fix = "Load the tokenizer with its library (transformers: AutoTokenizer, use_fast=True), save it again with "
            + "save_pretrained, and put the tokenizer.json it writes beside the weights.",
    });
}
