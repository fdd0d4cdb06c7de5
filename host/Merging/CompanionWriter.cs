using Merge.Checkpoints;
using Merge.Planning;
using Merge.Vocabulary;

namespace Merge.Merging;

/// <summary>Makes the tokenizer's files, copied from the donor, the output's.</summary>
internal static class CompanionWriter
{
    /// <param name="companions">What differs.</param>
    /// <param name="donor">The folder the files were copied from, if any.</param>
    /// <param name="folder">The output's.</param>
    public static void Write(CompanionFiles companions, string? donor, string folder)
    {
        if (companions.Tokenizer is { } tokenizer)
        {
            if (tokenizer.Source.Folder != donor)
                Replace(tokenizer.Source.Folder, folder);
            tokenizer.Write(folder);
        }
        if (companions.ChatTemplate is { } template)
            ChatTemplate.Write(folder, template);
    }

    private static void Replace(string source, string folder)
    {
        foreach (var name in CopiedFiles.Of(folder).Where(CopiedFiles.IsTokenizer))
            File.Delete(Path.Combine(folder, name));
        CopiedFiles.Copy(source, folder, CopiedFiles.IsTokenizer);
    }
}
