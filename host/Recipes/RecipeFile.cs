using System.Text;

namespace Merge.Recipes;

/// <summary>Reads a recipe from a file.</summary>
internal static class RecipeFile
{
    private const int MostBytes = 4 << 20;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>A recipe of one merge.</summary>
    /// <exception cref="Merge.Sdk.MergeException">It cannot be read, or is no recipe.</exception>
    public static Recipe Read(string path) => RecipeParser.Parse(path, ReadText(path));

    /// <summary>A recipe of one or more merges.</summary>
    /// <exception cref="Merge.Sdk.MergeException">It cannot be read, or is no recipe.</exception>
    public static StagedRecipe ReadStages(string path) => StagedRecipe.Parse(path, ReadText(path));

    private static string ReadText(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.CanSeek && file.Length > MostBytes)
            {
                throw RecipeFindings.Fatal(path, "", $"is {file.Length >> 20} MiB long, so it is no recipe",
                    $"at most {MostBytes >> 20} MiB", "Give the recipe, not a checkpoint.");
            }
            using var reader = new StreamReader(file, Strict);
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException)
        {
            throw RecipeFindings.Fatal(path, "", "is not text in UTF-8", "a recipe in YAML");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw RecipeFindings.Fatal(path, "", "there is no such recipe", null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw RecipeFindings.Fatal(path, "",
                Directory.Exists(path) ? "is a folder" : $"cannot be read: {exception.Message}",
                "a recipe file");
        }
    }
}
